#include "files/utf8.h"

#include <gtest/gtest.h>

namespace nono::files {
namespace {

std::string shown(std::string_view text) {
  std::string out;
  append_utf8(out, text);
  return out;
}

constexpr const char* kBad = "\xEF\xBF\xBD";

TEST(Utf8, ReplacesAsPythonDoes) {
  const std::string bad = kBad;
  EXPECT_EQ(shown("plain text that is longer than a word"), "plain text that is longer than a word");
  EXPECT_EQ(shown("\xC3\xA4\xE2\x82\xAC\xF0\x90\x8D\x88"), "\xC3\xA4\xE2\x82\xAC\xF0\x90\x8D\x88");
  EXPECT_EQ(shown("a\xFFz"), "a" + bad + "z");
  EXPECT_EQ(shown("\xE2\x82z"), bad + "z");                // cut: one for its whole beginning
  EXPECT_EQ(shown("\xC0\xAF"), bad + bad);                  // overlong
  EXPECT_EQ(shown("\xE0\x80\x80"), bad + bad + bad);        // overlong
  EXPECT_EQ(shown("\xED\xA0\x80"), bad + bad + bad);        // a surrogate
  EXPECT_EQ(shown("\xF4\x90\x80\x80"), bad + bad + bad + bad);  // above U+10FFFF
  EXPECT_EQ(shown("12345678\xF0\x90\x8D"), "12345678" + bad);
}

TEST(Utf8, FindsWhereItEnds) {
  EXPECT_EQ(valid_utf8(""), 0U);
  EXPECT_EQ(valid_utf8("abc\xC3"), 3U);
  EXPECT_TRUE(is_cut_utf8("abc\xC3"));
  EXPECT_TRUE(is_cut_utf8("abc\xF0\x90\x8D"));
  EXPECT_TRUE(is_cut_utf8("abc"));
  EXPECT_FALSE(is_cut_utf8("abc\xFF"));
  EXPECT_FALSE(is_cut_utf8("\xC3z"));
  EXPECT_FALSE(is_cut_utf8("\xED\xA0"));
}

TEST(Utf8, CutsNoCharacter) {
  EXPECT_EQ(first_bytes("a\xE2\x82\xAC", 3), "a");
  EXPECT_EQ(first_bytes("a\xE2\x82\xAC", 4), "a\xE2\x82\xAC");
  EXPECT_EQ(first_bytes("\xE2\x82\xAC", 0), "");
}

}  // namespace
}  // namespace nono::files
