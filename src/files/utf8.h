// UTF-8 as Python reads it: what is valid, and U+FFFD for what is not. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nono::files {

// The length of the longest valid beginning of `text`.
[[nodiscard]] std::size_t valid_utf8(std::string_view text);

// Is it valid, except that a character may be cut off at its end?
[[nodiscard]] bool is_cut_utf8(std::string_view text);

void append_utf8(std::string& to, std::string_view text);

// Its longest beginning of at most `most` bytes that cuts no character. `text` is valid.
[[nodiscard]] std::string_view first_bytes(std::string_view text, std::size_t most);

}  // namespace nono::files
