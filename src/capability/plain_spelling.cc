#include "capability/plain_spelling.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace nono::capability {
namespace {

// Default_Ignorable_Code_Point of Unicode 15 (DerivedCoreProperties.txt).
constexpr auto kIgnored = std::to_array<std::pair<char32_t, char32_t>>({
    {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c}, {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},
    {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
    {0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
});

bool is_ignored(char32_t c) {
  return std::ranges::any_of(kIgnored, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

void trim_component(std::string& text, std::size_t begin) {
  if (text.substr(begin) == "." || text.substr(begin) == "..") return;
  while (text.size() > begin && (text.back() == '.' || text.back() == ' ')) text.pop_back();
}

// Does nothing here stand out? Most names: they need not be put together again byte by byte.
bool is_plain(std::string_view place) {
  char before = '/';
  for (const char c : place) {
    const bool ends = c == '/' && (before == '.' || before == ' ');
    if (ends || static_cast<unsigned char>(c) >= 0x80) return false;
    before = c;
  }
  return before != '.' && before != ' ';
}

}  // namespace

std::string plain_spelling(std::string_view place) {
  if (is_plain(place)) return std::string(place);
  constexpr char32_t kKelvinSign = 0x212a;
  constexpr char32_t kLongS = 0x017f;
  std::string plain;
  plain.reserve(place.size());
  std::size_t begin = 0;
  for (std::size_t i = 0; i < place.size();) {
    if (place[i] == '/') {
      trim_component(plain, begin);
      plain += '/';
      begin = plain.size();
      ++i;
      continue;
    }
    if (static_cast<unsigned char>(place[i]) < 0x80) {
      plain += place[i++];
      continue;
    }
    const DecodedUtf8 decoded = decode_utf8(place.substr(i));
    const std::size_t length = std::max<std::size_t>(decoded.length, 1);  // of what is no UTF-8, one byte
    const char32_t c = decoded.code_point;
    if (decoded.length == 0) {
      plain += place[i];
    } else if (c == kKelvinSign) {
      plain += 'k';
    } else if (c == kLongS) {
      plain += 's';
    } else if (!is_ignored(c)) {
      plain += place.substr(i, length);
    }
    i += length;
  }
  trim_component(plain, begin);
  return plain;
}

}  // namespace nono::capability
