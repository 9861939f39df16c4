#include "files/literal.h"

#include <gtest/gtest.h>

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

TEST(Literal, CountsLines) {
  EXPECT_EQ(count_lines(""), 0U);
  EXPECT_EQ(count_lines("a\nb\n\n"), 3U);
}

}  // namespace
}  // namespace nono::files
