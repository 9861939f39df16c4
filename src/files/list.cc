#include "files/list.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <string_view>
#include <utility>

#include "files/directory.h"

namespace nono::files {
namespace {

std::vector<std::size_t> by_name(const std::vector<std::string>& names) {
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) -> std::string_view { return names[i]; });
  return order;
}

}  // namespace

Entry entry_of(std::string name, const FileStatus& status) {
  const bool is_directory = S_ISDIR(status.mode);
  return {std::move(name), is_directory, is_directory ? 0 : status.size, status.modified};
}

Expected<std::vector<Entry>> list_directory(Crew& crew, Reach& reach, const std::string& path) {
  const auto statuses = std::make_shared<Statuses>();
  const auto help = [statuses] { return statuses->help(); };
  crew.offer(help);
  auto directory = reach.open_directory(path);
  if (!directory) return tl::unexpected(directory.error());
  std::vector<std::string> names;
  names.reserve(64);
  const int error = for_each_name(directory->fd, [&](std::string_view name, unsigned char) {
    names.emplace_back(name);
    return true;
  });
  if (error != 0) return refuse(error);
  statuses->begin(std::move(directory->fd), std::move(names));
  if (statuses->wants_help()) crew.offer(help);
  const std::vector<std::size_t> order = by_name(statuses->names());
  const std::vector<FileStatus> found = statuses->finish();

  std::vector<Entry> entries;
  entries.reserve(order.size());
  for (const std::size_t i : order) {
    const FileStatus& status = found[i];
    if (status.mode == 0) continue;
    const std::string& name = statuses->names()[i];
    entries.push_back(entry_of(name, status));
    if (!S_ISLNK(status.mode)) continue;
    const auto target = reach.open_any(path + "/" + name, O_RDONLY | O_DIRECTORY);
    if (target) entries.back() = entry_of(name, status_of(target->st));
  }
  return entries;
}

}  // namespace nono::files
