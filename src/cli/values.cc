#include "cli/values.h"

#include <charconv>
#include <limits>
#include <string>

namespace nono::cli {
namespace {

constexpr double kTenYears = 10 * 365.25 * 24 * 3600;

// 0 for a unit that does not exist.
std::uint64_t unit(std::string_view suffix) {
  if (suffix.empty() || suffix == "B" || suffix == "b") return 1;
  std::uint64_t factor = 0;
  switch (suffix.front()) {
    case 'K': case 'k': factor = 1ULL << 10; break;
    case 'M': case 'm': factor = 1ULL << 20; break;
    case 'G': case 'g': factor = 1ULL << 30; break;
    case 'T': case 't': factor = 1ULL << 40; break;
    default: return 0;
  }
  suffix.remove_prefix(1);
  return suffix.empty() || suffix == "B" || suffix == "b" || suffix == "iB" ? factor : 0;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const std::uint64_t factor = unit(text);
  if (factor == 0 || number > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
  return number * factor;
}

std::optional<std::chrono::nanoseconds> parse_seconds(std::string_view text) {
  double seconds = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(seconds > 0) || seconds > kTenYears) return std::nullopt;
  const auto exact = std::chrono::duration<double>(seconds);
  return std::max(std::chrono::nanoseconds(1),
                  std::chrono::duration_cast<std::chrono::nanoseconds>(exact));
}

}  // namespace nono::cli
