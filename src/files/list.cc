#include "files/list.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "files/directory.h"

namespace nono::files {
namespace {

// The first bytes of a name, in an order that comparing the numbers keeps.
std::uint64_t head_of(std::string_view name) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < sizeof head; ++i) head = head << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0U);
  return head;
}

// The names' numbers in the order of their bytes. Most differ in the first few behind what all have in common.
std::vector<std::size_t> by_name(const std::vector<std::string>& names) {
  std::string_view common = names.empty() ? std::string_view() : names.front();
  for (const std::string& name : names) {
    common = common.substr(0, static_cast<std::size_t>(std::ranges::mismatch(common, name).in1 - common.begin()));
  }
  struct Numbered {
    std::uint64_t head;
    std::size_t number;
  };
  std::vector<Numbered> sorted(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) sorted[i] = {head_of(std::string_view(names[i]).substr(common.size())), i};
  std::ranges::sort(sorted, [&](const Numbered& a, const Numbered& b) { return a.head != b.head ? a.head < b.head : names[a.number] < names[b.number]; });
  std::vector<std::size_t> order(names.size());
  std::ranges::transform(sorted, order.begin(), &Numbered::number);
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
