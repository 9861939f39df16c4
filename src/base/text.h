// Text helpers: concatenation, OS error texts, and escaping of what a stranger wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace nono {

namespace detail {
inline std::string_view piece(std::string_view s) { return s; }
inline std::string piece(char c) { return std::string(1, c); }
template <class N>
  requires std::is_integral_v<N> && (!std::is_same_v<N, char>) && (!std::is_same_v<N, bool>)
std::string piece(N n) {
  return std::to_string(n);
}
}  // namespace detail

// cat("port ", 80, " is taken") -> one string. Integers and text only.
template <class... Parts>
[[nodiscard]] std::string cat(const Parts&... parts) {
  std::string out;
  (out.append(detail::piece(parts)), ...);
  return out;
}

[[nodiscard]] std::string join(std::initializer_list<std::string_view> parts, std::string_view between);

template <class Range>
[[nodiscard]] std::string join(const Range& parts, std::string_view between) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out.append(between);
    out.append(part);
  }
  return out;
}

[[nodiscard]] bool is_ascii(std::string_view text);

// "No such file or directory (os error 2)".
[[nodiscard]] std::string os_error(int error_number);

// The first character of `text`, which is not empty. Length 0: these bytes are not UTF-8.
struct DecodedUtf8 {
  std::uint32_t code_point = 0;
  std::size_t length = 0;
};
[[nodiscard]] DecodedUtf8 decode_utf8(std::string_view text);

// For terminals and logs: control bytes, ESC, DEL, invalid UTF-8, bidirectional and zero-width
// characters become visible escapes (\n, \x1b, \u{202e}); everything else is kept.
[[nodiscard]] std::string escape(std::string_view untrusted);

}  // namespace nono
