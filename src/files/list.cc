#include "files/list.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "files/directory.h"

namespace nono::files {

Entry entry_of(std::string name, const struct stat& st) {
  const bool is_directory = S_ISDIR(st.st_mode);
  return {std::move(name), is_directory, is_directory ? 0 : static_cast<std::uint64_t>(st.st_size), st.st_mtim};
}

Expected<std::vector<Entry>> list_directory(Reach& reach, const std::string& path) {
  const auto directory = reach.open_directory(path);
  if (!directory) return tl::unexpected(directory.error());
  std::vector<Entry> entries;
  entries.reserve(64);
  std::vector<std::string> links;
  const int error = for_each_name(directory->fd, [&](std::string_view name, unsigned char) {
    struct stat st {};
    if (::fstatat(directory->fd.get(), name.data(), &st, AT_SYMLINK_NOFOLLOW) != 0) return true;  // gone again
    if (S_ISLNK(st.st_mode)) links.emplace_back(name);
    entries.push_back(entry_of(std::string(name), st));
    return true;
  });
  if (error != 0) return refuse(error);
  std::ranges::sort(entries, {}, &Entry::name);
  for (const std::string& link : links) {
    const auto target = reach.open_any(path + "/" + link, O_RDONLY | O_DIRECTORY);
    if (!target) continue;
    const auto entry = std::ranges::lower_bound(entries, link, {}, &Entry::name);
    *entry = entry_of(link, target->st);
  }
  return entries;
}

}  // namespace nono::files
