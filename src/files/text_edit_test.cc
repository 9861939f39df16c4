#include "files/text_edit.h"

#include <gtest/gtest.h>

namespace nono::files {
namespace {

constexpr std::size_t kMost = 1024;

struct Case {
  std::string_view content, old_text, new_text;
  Occurrences which;
  std::string_view result;  // or the code
  std::uint64_t occurrences;
};

TEST(Edit, ReplacesAndKeepsLineEnds) {
  const Case cases[] = {
      {"a b a", "b", "c", Occurrences::kOne, "a c a", 1},
      {"a b a", "a", "c", Occurrences::kAll, "c b c", 2},
      {"aaaa", "aa", "b", Occurrences::kAll, "bb", 2},
      {"one\r\ntwo\r\n", "one\ntwo", "1\n2", Occurrences::kOne, "1\r\n2\r\n", 1},
      {"one\ntwo\n", "one\r\ntwo", "1\r\n2", Occurrences::kOne, "1\n2\n", 1},
      {"one\r\ntwo\n", "two\n", "2\n", Occurrences::kOne, "one\r\n2\n", 1},
      {"\xC3\xA4", "\xC3\xA4", "\xE2\x82\xAC", Occurrences::kOne, "\xE2\x82\xAC", 1},
      {"a", "a", "", Occurrences::kOne, "", 1},
      {std::string_view("a\0b", 3), std::string_view("\0", 1), "-", Occurrences::kOne, "a-b", 1},
  };
  for (const Case& c : cases) {
    const auto edited = edit_text(c.content, c.old_text, c.new_text, c.which, kMost);
    ASSERT_TRUE(edited) << c.content;
    EXPECT_EQ(edited->content, c.result);
    EXPECT_EQ(edited->occurrences, c.occurrences);
  }
}

TEST(Edit, RefusesWhatItCannotMake) {
  const auto code = [](std::string_view content, std::string_view old_text) {
    const auto edited = edit_text(content, old_text, "x", Occurrences::kOne, kMost);
    return edited ? "" : edited.error().code;
  };
  EXPECT_EQ(code("a", "b"), code::kStringNotFound);
  EXPECT_EQ(code("", "b"), code::kStringNotFound);
  EXPECT_EQ(code("aa", "a"), code::kSeveralOccurrences);
  EXPECT_EQ(code("\xFF", "a"), code::kNotText);
  EXPECT_EQ(code("a\xC3", "a"), code::kNotText);
}

// A few bytes in each of many places are more than a host has.
TEST(Edit, MakesNothingLargerThanItMay) {
  const auto edited = [](std::string_view new_text, std::size_t most) { return edit_text("a-a-a", "a", new_text, Occurrences::kAll, most); };
  EXPECT_EQ(edited("bcd", 11).value().content, "bcd-bcd-bcd");
  for (const std::size_t most : {10U, 3U, 0U}) EXPECT_EQ(edited("bcd", most).error().code, code::kTooLarge) << most;
  EXPECT_EQ(edited(std::string(kMost, 'x'), kMost).error().code, code::kTooLarge);
}

}  // namespace
}  // namespace nono::files
