#include "base/text.h"

#include <gtest/gtest.h>

namespace nono {
namespace {

TEST(Escape, MakesControlAndDeceptiveCharactersVisible) {
  EXPECT_EQ(escape("plain text"), "plain text");
  EXPECT_EQ(escape("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(escape("line\n"), "line\\n");
  EXPECT_EQ(escape("\xe2\x80\xae"), "\\u{202e}");
  EXPECT_EQ(escape("\xff"), "\\xff");
  EXPECT_EQ(escape("\xc3\xa9"), "\xc3\xa9");
}

TEST(OsError, PrintsTextAndNumber) {
  EXPECT_EQ(os_error(2), "No such file or directory (os error 2)");
}

}  // namespace
}  // namespace nono
