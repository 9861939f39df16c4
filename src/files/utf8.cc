#include "files/utf8.h"

#include <cstdint>
#include <cstring>

namespace nono::files {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Character {
  std::size_t valid = 0;   // bytes that could begin a character
  std::size_t length = 0;  // of the character that the first byte announces; 0: none begins so
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
Character look(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, 1};
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return {1, 0};
  }
  std::size_t valid = 1;
  for (; valid < length && valid < text.size(); ++valid) {
    if (byte(valid) < low || byte(valid) > high) break;
    low = 0x80;
    high = 0xBF;
  }
  return {valid, length};
}

std::size_t ascii_prefix(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return i;
}

}  // namespace

std::size_t valid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    at += ascii_prefix(text.substr(at));
    if (at == text.size()) break;
    const Character next = look(text.substr(at));
    if (next.valid != next.length) break;
    at += next.length;
  }
  return at;
}

bool is_cut_utf8(std::string_view text) {
  const std::string_view rest = text.substr(valid_utf8(text));
  return rest.empty() || (look(rest).length != 0 && look(rest).valid == rest.size());
}

void append_utf8(std::string& to, std::string_view text) {
  while (!text.empty()) {
    const std::size_t valid = valid_utf8(text);
    to.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) return;
    to.append(kReplacement);
    text.remove_prefix(look(text).valid);
  }
}

std::string_view first_bytes(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace nono::files
