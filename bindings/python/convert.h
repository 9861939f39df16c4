// Python values to and from ours, with Python's own exceptions for what does not fit.
//
// File names, arguments and environment variables are bytes to the system: text goes in and out by
// the rules of os.fsencode and os.fsdecode, so a name that is not UTF-8 survives both ways. NUL
// bytes are passed on; whoever uses the text refuses them.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nono::python {

namespace nb = nanobind;

[[nodiscard]] nb::str to_str(std::string_view text);
[[nodiscard]] nb::bytes to_bytes(std::string_view bytes);
[[nodiscard]] nb::list to_list(const std::vector<std::string>& texts);

// str or os.PathLike.
[[nodiscard]] std::string to_text(nb::handle value, const char* name);
// str only, as UTF-8.
[[nodiscard]] std::string to_utf8(nb::handle value, const char* name);
// Any sequence of str or os.PathLike, but not one str.
[[nodiscard]] std::vector<std::string> to_texts(nb::handle value, const char* name);
// Any sequence of (str, str) tuples.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> to_pairs(nb::handle value, const char* name);
// int or float.
[[nodiscard]] double to_double(nb::handle value);

// int, True included; OverflowError outside 0..maximum.
[[nodiscard]] std::uint64_t to_unsigned(nb::handle value, std::uint64_t maximum);

// int, True included; OverflowError outside what an int holds.
[[nodiscard]] int to_int(nb::handle value);

template <class N>
[[nodiscard]] N to_integer(nb::handle value) {
  return static_cast<N>(to_unsigned(value, std::numeric_limits<N>::max()));
}

template <class N>
[[nodiscard]] std::optional<N> to_optional_integer(nb::handle value) {
  if (value.is_none()) return std::nullopt;
  return to_integer<N>(value);
}

}  // namespace nono::python
