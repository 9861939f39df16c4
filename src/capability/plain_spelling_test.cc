#include "capability/plain_spelling.h"

#include <gtest/gtest.h>

namespace nono::capability {
namespace {

TEST(PlainSpelling, LeavesAloneWhatIsPlain) {
  for (const char* place : {"/", "/a/.env", "/a b/c.d", "/übung/日本", "/a/\xff\xfe/\xc3", "/~1:x"}) {
    EXPECT_EQ(plain_spelling(place), place);
  }
}

TEST(PlainSpelling, FoldsWhatDirectoriesFold) {
  EXPECT_EQ(plain_spelling("/w/.git/hoo\u212as"), "/w/.git/hooks");
  EXPECT_EQ(plain_spelling("/w/ta\u017f\u212a"), "/w/task");
  EXPECT_EQ(plain_spelling("/w/.e\u00adnv"), "/w/.env");
  EXPECT_EQ(plain_spelling("/w/.\u200denv\ufe0f"), "/w/.env");
  EXPECT_EQ(plain_spelling("/w/.env\U000e0041"), "/w/.env");
  EXPECT_EQ(plain_spelling("/w/.env. ./x "), "/w/.env/x");
  EXPECT_EQ(plain_spelling("/w/\xf3\xa0\x81"), "/w/\xf3\xa0\x81");  // the beginning of an ignored one
}

}  // namespace
}  // namespace nono::capability
