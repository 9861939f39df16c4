#include "files/literal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

namespace nono::files {
namespace {

TEST(Literal, FindsTheFirstOfItsLines) {
  EXPECT_EQ(Literal("b").find("abcb"), 1U);
  EXPECT_EQ(Literal("x").find("abc"), std::string_view::npos);
  EXPECT_EQ(Literal("").find("abc"), 0U);
  EXPECT_EQ(Literal("long").find("lo"), std::string_view::npos);
  EXPECT_EQ(Literal("c\nb").find("abc"), 1U);
  EXPECT_EQ(Literal("bcd\nb").find("abcd"), 1U);
  EXPECT_EQ(Literal("d\nabc").find("abcd"), 0U);
  EXPECT_EQ(Literal(".*").find("a.*"), 1U);
}

// Against the plain search, with few letters, so that there is much that is nearly right.
TEST(Literal, FindsWhatThePlainSearchFinds) {
  std::minstd_rand random(1);
  const auto text_of = [&](std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += "ae\x01z"[random() % 4];
    return text;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string text = text_of(random() % 100);
    const std::string wanted = text_of(random() % 8);
    ASSERT_EQ(Literal(wanted).find(text), text.find(wanted)) << wanted << " in " << text;
  }
}

TEST(Literal, CountsLines) {
  EXPECT_EQ(count_lines(""), 0U);
  EXPECT_EQ(count_lines("a\nb\n\n"), 3U);
  EXPECT_EQ(count_lines(std::string(100'000, '\n')), 100'000U);
  std::minstd_rand random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    while (text.size() < random() % 10'000) text += "\n\x8a\t\xff"[random() % 4];
    const std::string_view part = std::string_view(text).substr(random() % (text.size() + 1));
    ASSERT_EQ(count_lines(part), static_cast<std::uint64_t>(std::count(part.begin(), part.end(), '\n')));
  }
}

}  // namespace
}  // namespace nono::files
