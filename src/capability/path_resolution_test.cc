#include "capability/path_resolution.h"

#include <gtest/gtest.h>

#include "capability/test_directory.h"

namespace nono::capability {
namespace {

using namespace std::string_literals;

TEST(Canonicalize, ResolvesLinksDotsAndDoubledSlashes) {
  const TestDirectory dir;
  const std::string real = dir.directory("real");
  dir.link("link", "real");
  EXPECT_EQ(*canonicalize(dir / "link"), real);
  EXPECT_EQ(*canonicalize(dir / "/.//link/../real/"), real);
}

TEST(Canonicalize, NulIsAnErrorAndNeverATruncatedPath) {
  const auto result = canonicalize("/etc\0/passwd"s);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kPathResolution);
  EXPECT_EQ(result.error().message,
            "Failed to canonicalize path /etc\\x00/passwd: file name contained an unexpected NUL byte");
}

TEST(LinksOnTheWay, AreThoseTheKernelFollows) {
  const TestDirectory dir;
  const std::string real = dir.directory("real");
  dir.directory("real/sub");
  const std::string relative = dir.link("relative", "./real");
  const std::string absolute = dir.link("absolute", relative + "/sub/..");
  dir.link("real/up", "../absolute");
  using Links = std::vector<Link>;
  EXPECT_EQ(links_on_the_way(real), Links{});
  EXPECT_EQ(links_on_the_way(relative + "/sub"), (Links{{relative, "./real"}}));
  EXPECT_EQ(links_on_the_way(dir / "real/sub/../up//sub"),
            (Links{{real + "/up", "../absolute"}, {absolute, relative + "/sub/.."}, {relative, "./real"}}));
}

TEST(LinksOnTheWay, OfALoopThereAreNone) {
  const TestDirectory dir;
  dir.link("loop", "loop");
  EXPECT_TRUE(links_on_the_way(dir / "loop/x").empty());
}

TEST(CanonicalizeExistingPart, IsTheCanonicalPathOfWhatExists) {
  const TestDirectory dir;
  dir.directory("real/sub");
  dir.link("link", "real");
  EXPECT_EQ(canonicalize_existing_part(dir / "link/sub"), dir / "real/sub");
}

TEST(CanonicalizeExistingPart, ReappendsWhatIsMissing) {
  const TestDirectory dir;
  dir.directory("real");
  dir.link("link", "real");
  EXPECT_EQ(canonicalize_existing_part(dir / "link/new/.//file"), dir / "real/new/file");
  EXPECT_EQ(canonicalize_existing_part("/no-such-directory-here/x"), "/no-such-directory-here/x");
}

TEST(CanonicalizeExistingPart, FoldsDotDotOfMissingPartsAndLooksAgain) {
  const TestDirectory dir;
  dir.directory("granted");
  dir.directory("secret");
  dir.link("alias", "secret");
  EXPECT_EQ(canonicalize_existing_part(dir / "granted/missing/../../secret/x"), dir / "secret/x");
  EXPECT_EQ(canonicalize_existing_part(dir / "granted/missing/../../alias/x"), dir / "secret/x");
  EXPECT_EQ(canonicalize_existing_part("/missing/../../../.."), "/");
}

TEST(CanonicalizeExistingPart, FollowsDanglingLinksAsACreatingOpenWould) {
  const TestDirectory dir;
  dir.directory("granted");
  dir.link("granted/absolute", dir / "elsewhere/new");
  dir.link("granted/relative", "../elsewhere/new");
  EXPECT_EQ(canonicalize_existing_part(dir / "granted/absolute"), dir / "elsewhere/new");
  EXPECT_EQ(canonicalize_existing_part(dir / "granted/relative/deeper"), dir / "elsewhere/new/deeper");
}

TEST(CanonicalizeExistingPart, EndsOnLoopsNulsAndEndlessPaths) {
  const TestDirectory dir;
  dir.link("a", "b");
  dir.link("b", "a");
  const std::string looped = canonicalize_existing_part(dir / "a/x");
  EXPECT_TRUE(looped == dir / "a/x" || looped == dir / "b/x") << looped;
  EXPECT_EQ(canonicalize_existing_part("/etc\0/passwd"s), "/etc\0/passwd"s);

  std::string endless;
  for (int i = 0; i < 200'000; ++i) endless += "/x";
  EXPECT_EQ(canonicalize_existing_part(endless), endless);
}

TEST(CanonicalizeExistingPart, RelativePathsStartAtTheWorkingDirectory) {
  const std::string here = *canonicalize(".");
  EXPECT_EQ(canonicalize_existing_part("no-such-file-here"), (here == "/" ? "" : here) + "/no-such-file-here");
}

TEST(IsWithin, ComparesWholeComponents) {
  struct Case {
    std::string ancestor;
    std::string path;
    bool within;
  };
  for (const Case& c : std::vector<Case>{
           {"/a", "/a", true},
           {"/a", "/a/b", true},
           {"/a/", "/a/b/", true},
           {"/a", "/ab", false},
           {"/a/b", "/a", false},
           {"/", "/anything", true},
           {"/", "/", true},
           {"/a", "/", false},
           {"/a", "/a//b/./c", true},
           {"/a", "/a/../etc", false},
           {"/a", "/b/../a/c", true},
           {"/a", "/a/...", true},
           {"/", "relative", false},
           {"", "/a", false},
           {"/a", "", false},
       }) {
    EXPECT_EQ(is_within(c.ancestor, c.path), c.within) << c.ancestor << " and " << c.path;
  }
}

}  // namespace
}  // namespace nono::capability
