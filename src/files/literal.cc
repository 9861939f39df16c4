#include "files/literal.h"

#include <algorithm>
#include <cstring>

namespace nono::files {

Literal::Literal(std::string_view pattern) {
  for (;;) {
    const std::size_t end = pattern.find('\n');
    alternatives_.emplace_back(pattern.substr(0, end));
    if (end == std::string_view::npos) return;
    pattern.remove_prefix(end + 1);
  }
}

std::size_t Literal::find(std::string_view text) const {
  std::size_t first = std::string_view::npos;
  for (const std::string& wanted : alternatives_) {
    const std::string_view where = text.substr(0, first == std::string_view::npos ? first : first + wanted.size());
    const void* found = ::memmem(where.data(), where.size(), wanted.data(), wanted.size());
    if (found != nullptr) first = std::min(first, static_cast<std::size_t>(static_cast<const char*>(found) - text.data()));
  }
  return first;
}

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace nono::files
