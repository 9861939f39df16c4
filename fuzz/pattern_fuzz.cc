// NamePattern on arbitrary patterns and places: the pattern may be a stranger's, the names are the command's.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "capability/name_pattern.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool ends_a_name(std::string_view place, std::size_t length) {
  return length > 0 && length <= place.size() && (length == place.size() || length == 1 || place[length] == '/');
}

}  // namespace

// The pattern to the first line feed; the place is the rest, made absolute and folded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nono::capability;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  if (end == input.npos || input.size() > 4096) return 0;
  const std::string text = "**/" + std::string(input.substr(0, end));
  const auto pattern = NamePattern::parse(text);
  const auto exact = NamePattern::parse(text, Case::kCounts);
  require(pattern.has_value() == exact.has_value());
  if (!pattern) return 0;
  std::string place;
  for (std::size_t at = end + 1; at < input.size();) {
    const std::size_t next = std::min(input.find('/', at), input.size());
    const std::string_view name = input.substr(at, next - at);
    if (!name.empty() && name != "." && name != "..") place.append("/").append(name);
    at = next + 1;
  }
  if (place.empty()) place = "/";
  const PathNames names(place);
  std::size_t beyond = 0;
  while (const auto match = pattern->match(names, beyond)) {
    require(match->last > beyond && match->first <= match->last);
    require(ends_a_name(place, match->last) && ends_a_name(place, match->first));
    // What is denied is denied below as well, and under either case.
    require(pattern->match(PathNames(place + "/below"), beyond) == match);
    beyond = match->last;
  }
  (void)pattern->leads_to(names);
  // What is open for one is closed by the other, and can be listed on the way there.
  if (const auto match = exact->match(names)) {
    require(pattern->match(names).has_value());
    const std::size_t slash = place.rfind('/', match->last - 1);
    require(exact->may_hold(PathNames(slash == 0 ? "/" : std::string_view(place).substr(0, slash))));
  }
  require(NamePattern::parse(pattern->to_string()).value() == *pattern);
  return 0;
}
