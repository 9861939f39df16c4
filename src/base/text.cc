#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace nono {
namespace {

bool is_deceptive(std::uint32_t c) {
  return (c >= 0x80 && c <= 0x9f) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

std::string hex(std::uint32_t value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[value & 15]);
    value >>= 4;
  } while (value != 0);
  return digits;
}

std::string byte_escape(std::uint8_t byte) {
  const std::string digits = hex(byte);
  return cat("\\x", digits.size() == 1 ? "0" : "", digits);
}

}  // namespace

DecodedUtf8 decode_utf8(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(s[i]); };
  const std::uint8_t lead = byte(0);
  std::size_t length = 0;
  std::uint32_t minimum = 0;
  std::uint32_t value = 0;
  if (lead < 0x80) return {lead, 1};
  if ((lead & 0xe0) == 0xc0) { length = 2; minimum = 0x80; value = lead & 0x1fU; }
  else if ((lead & 0xf0) == 0xe0) { length = 3; minimum = 0x800; value = lead & 0x0fU; }
  else if ((lead & 0xf8) == 0xf0) { length = 4; minimum = 0x10000; value = lead & 0x07U; }
  else return {};
  if (s.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3fU);
  }
  if (value < minimum || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, length};
}

std::string join(std::initializer_list<std::string_view> parts, std::string_view between) {
  return join<std::initializer_list<std::string_view>>(parts, between);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string os_error(int error_number) {
  std::array<char, 128> buffer{};
  const char* text = strerror_r(error_number, buffer.data(), buffer.size());
  return cat(text, " (os error ", error_number, ")");
}

std::string escape(std::string_view untrusted) {
  std::string out;
  out.reserve(untrusted.size());
  while (!untrusted.empty()) {
    const DecodedUtf8 d = decode_utf8(untrusted);
    const auto first = static_cast<std::uint8_t>(untrusted[0]);
    if (d.length == 0) {
      out += byte_escape(first);
      untrusted.remove_prefix(1);
      continue;
    }
    if (d.code_point == '\n') out += "\\n";
    else if (d.code_point == '\t') out += "\\t";
    else if (d.code_point == '\r') out += "\\r";
    else if (d.code_point < 0x20 || d.code_point == 0x7f) out += byte_escape(first);
    else if (is_deceptive(d.code_point)) out += cat("\\u{", hex(d.code_point), "}");
    else out += untrusted.substr(0, d.length);
    untrusted.remove_prefix(d.length);
  }
  return out;
}

}  // namespace nono
