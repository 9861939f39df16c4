#include "files/path_glob.h"

#include <gtest/gtest.h>

namespace nono::files {
namespace {

bool matches(std::string_view pattern, std::string_view path, Depth depth = Depth::kAny) {
  const auto glob = PathGlob::of(pattern, depth);
  return glob && glob->matches(path);
}

TEST(PathGlob, OfANameIsAboutAnyDepth) {
  EXPECT_TRUE(matches("*.py", "a.py"));
  EXPECT_TRUE(matches("*.py", "src/deep/a.py"));
  EXPECT_TRUE(matches("*.yml", ".github/workflows/ci.yml"));
  EXPECT_FALSE(matches("*.py", "a.pyc"));
  EXPECT_FALSE(matches("*.py", "a.py/b"));
  EXPECT_FALSE(matches("*", ".env"));
  EXPECT_TRUE(matches(".*", ".env"));
  EXPECT_FALSE(matches("*.py", "src/a.py", Depth::kTop));
  EXPECT_TRUE(matches("*.py", "a.py", Depth::kTop));
}

TEST(PathGlob, OfAPathBeginsAtTheTop) {
  EXPECT_TRUE(matches("src/*.py", "src/a.py"));
  EXPECT_TRUE(matches("/src/*.py", "src/a.py"));
  EXPECT_TRUE(matches("src//*.py", "src/a.py"));
  EXPECT_FALSE(matches("src/*.py", "lib/src/a.py"));
  EXPECT_FALSE(matches("src/*.py", "src/deep/a.py"));
  EXPECT_TRUE(matches("/*.py", "a.py"));
  EXPECT_FALSE(matches("/*.py", "src/a.py"));
  EXPECT_FALSE(matches("src/", "src"));
}

TEST(PathGlob, TwoStarsAreDirectories) {
  EXPECT_TRUE(matches("**/*.py", "a.py"));
  EXPECT_TRUE(matches("**/*.py", "x/y/a.py"));
  EXPECT_TRUE(matches("src/**/a.py", "src/a.py"));
  EXPECT_TRUE(matches("src/**/a.py", "src/x/y/a.py"));
  EXPECT_TRUE(matches("src/**", "src/x/y"));
  EXPECT_TRUE(matches("src/**/", "src/x/y"));
  EXPECT_FALSE(matches("src/**", "src"));
  EXPECT_FALSE(matches("**/*.yml", ".github/ci.yml"));
  EXPECT_TRUE(matches("**/.github/*.yml", "x/.github/ci.yml"));
  EXPECT_FALSE(matches("src/**", "src/.hidden"));
  EXPECT_TRUE(matches("**/**/a", "a"));
  EXPECT_TRUE(matches("**/x/**/a", "1/x/2/x/3/a"));
}

TEST(PathGlob, KnowsSetsBracesAndCharacters) {
  EXPECT_TRUE(matches("[a-c]x", "bx"));
  EXPECT_FALSE(matches("[!a-c]x", "bx"));
  EXPECT_FALSE(matches("[^a-c]x", "bx"));
  EXPECT_TRUE(matches("[!a-c]x", "dx"));
  EXPECT_TRUE(matches("[]]", "]"));
  EXPECT_TRUE(matches("[a", "[a"));
  EXPECT_TRUE(matches("[a-]", "-"));
  EXPECT_TRUE(matches("?.txt", "\xC3\xA4.txt"));
  EXPECT_TRUE(matches("[\xC3\xA0-\xC3\xBF].txt", "\xC3\xA4.txt"));
  EXPECT_TRUE(matches("*.{py,c}", "a.c"));
  EXPECT_TRUE(matches("{a,b{c,d}}", "bd"));
  EXPECT_TRUE(matches("{a}", "{a}"));
  EXPECT_TRUE(matches("{a,b", "{a,b"));
  EXPECT_TRUE(matches("{src,lib}/**/*.py", "lib/x/a.py"));
  EXPECT_TRUE(matches("a*b*c", "a--b--b-c"));
  EXPECT_FALSE(matches("a*b*c", "a--c--b"));
  EXPECT_TRUE(matches("*\xFF", "x\xFF"));
}

TEST(PathGlob, RefusesWhatLeadsOutOrIsTooMuch) {
  EXPECT_EQ(PathGlob::of("../*.py").error().code, code::kInvalidPattern);
  EXPECT_EQ(PathGlob::of("a/../../b").error().code, code::kInvalidPattern);
  EXPECT_EQ(PathGlob::of("{.,x}{.,y}/a").error().code, code::kInvalidPattern);
  std::string many;
  for (int i = 0; i < 11; ++i) many += "{a,b}";
  EXPECT_EQ(PathGlob::of(many).error().code, code::kPatternTooBroad);
  EXPECT_TRUE(PathGlob::of(many.substr(5 * 2)));
  EXPECT_FALSE(matches("", "a"));
}

TEST(PathGlob, KnowsWhereNothingCanMatch) {
  const auto below = [](std::string_view pattern, std::string_view directory) { return PathGlob::of(pattern)->may_match_below(directory); };
  EXPECT_TRUE(below("*.py", "any/where"));
  EXPECT_TRUE(below("src/**/*.py", "src"));
  EXPECT_TRUE(below("src/**/*.py", "src/deep"));
  EXPECT_FALSE(below("src/**/*.py", "lib"));
  EXPECT_FALSE(below("src/*.py", "src/deep"));
  EXPECT_FALSE(below("**/*.py", ".git"));
  EXPECT_TRUE(below("**/.git/*", "x/.git"));
}

// Patterns that take a matcher by trial and error for ever.
TEST(PathGlob, IsNeverSlow) {
  std::string path(401, 'a');
  path[200] = '/';
  EXPECT_FALSE(matches("*a*a*a*a*a*a*a*a*a*a*a*a*b", path));
  std::string trees;
  for (int i = 0; i < 30; ++i) trees += "**/*/";
  std::string deep = "a";
  for (int i = 0; i < 200; ++i) deep += "/a";
  EXPECT_FALSE(matches(trees + "b", deep));
}

}  // namespace
}  // namespace nono::files
