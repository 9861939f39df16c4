#include "launch/view_steps.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/text.h"

namespace nono::launch {
namespace {

ViewGrant grant(const std::string& path, bool writable = false, mode_t kind = S_IFDIR) {
  return {path, {1, 2, kind}, writable};
}

// "dir /a", "file /a/f", "ro /a/f", "rw in /a/b", "link /l x"
std::vector<std::string> steps(const std::vector<ViewGrant>& grants, const std::vector<capability::Link>& links = {}) {
  const ViewSteps made(grants, links);
  std::vector<std::string> words;
  for (const kernel::ViewStep& step : made.list()) {
    using Kind = kernel::ViewStep::Kind;
    const std::string in = cat(step.in_grant ? " in " : " ", step.entry.path);
    switch (step.kind) {
      case Kind::kDirectory: words.push_back(cat("dir", in)); break;
      case Kind::kFile: words.push_back(cat("file", in)); break;
      case Kind::kLink: words.push_back(cat("link", in, " ", step.target)); break;
      case Kind::kBind: words.push_back(cat("ro", in)); break;
      case Kind::kBindWritable: words.push_back(cat("rw", in)); break;
    }
  }
  return words;
}

using Words = std::vector<std::string>;

TEST(ViewSteps, MakeWhatLeadsToAGrantFirst) {
  EXPECT_EQ(steps({grant("/home/u/work", true), grant("/usr")}),
            (Words{"dir /home", "dir /home/u", "dir /home/u/work", "rw /home/u/work", "dir /usr", "ro /usr"}));
  EXPECT_EQ(steps({}), Words{});
}

TEST(ViewSteps, BindFilesAndDevicesToFiles) {
  EXPECT_EQ(steps({grant("/etc/hosts", true, S_IFREG), grant("/dev/null", true, S_IFCHR)}),
            (Words{"dir /dev", "dir /etc", "file /dev/null", "ro /dev/null", "file /etc/hosts", "rw /etc/hosts"}));
}

TEST(ViewSteps, AGrantInsideAnotherCountsOnlyWhereItMayDoMore) {
  EXPECT_EQ(steps({grant("/a/b", true), grant("/a")}), (Words{"dir /a", "ro /a", "rw in /a/b"}));
  EXPECT_EQ(steps({grant("/a"), grant("/a/b"), grant("/a/b/f", false, S_IFREG)}), (Words{"dir /a", "ro /a"}));
  EXPECT_EQ(steps({grant("/a", true), grant("/a/b"), grant("/a/b/c", true)}), (Words{"dir /a", "rw /a"}));
  EXPECT_EQ(steps({grant("/a"), grant("/a/b", true), grant("/a/b/c")}), (Words{"dir /a", "ro /a", "rw in /a/b"}));
  EXPECT_EQ(steps({grant("/a"), grant("/a/d", true, S_IFCHR)}), (Words{"dir /a", "ro /a"}));
  // "-" sorts before "/".
  EXPECT_EQ(steps({grant("/a/b", true), grant("/a-b"), grant("/a")}),
            (Words{"dir /a", "ro /a", "dir /a-b", "ro /a-b", "rw in /a/b"}));
}

TEST(ViewSteps, OnePathTwiceIsUnited) {
  EXPECT_EQ(steps({grant("/a"), grant("/a", true)}), (Words{"dir /a", "rw /a"}));
}

TEST(ViewSteps, LinksComeLastAndNeverIntoAGrant) {
  EXPECT_EQ(steps({grant("/usr")}, {{"/bin", "usr/bin"}, {"/srv/x/l", "/usr"}, {"/usr/l", "bin"}, {"/bin", "usr/bin"}}),
            (Words{"dir /srv", "dir /srv/x", "dir /usr", "ro /usr", "link /bin usr/bin", "link /srv/x/l /usr"}));
}

TEST(ViewSteps, ALinkDoesNotStandWhereADirectoryHasTo) {
  EXPECT_EQ(steps({grant("/a/b")}, {{"/a", "/c"}}), (Words{"dir /a", "dir /a/b", "ro /a/b"}));
  EXPECT_EQ(steps({grant("/u")}, {{"/l", "x"}, {"/l/m", "y"}}), (Words{"dir /l", "dir /u", "ro /u", "link /l/m y"}));
}

TEST(ViewSteps, LinksBelowProcBelongToAnotherProcess) {
  EXPECT_EQ(steps({grant("/u")}, {{"/proc/self", "12"}, {"/dev/fd", "/proc/self/fd"}}),
            (Words{"dir /dev", "dir /u", "ro /u", "link /dev/fd /proc/self/fd"}));
}

}  // namespace
}  // namespace nono::launch
