#include <gtest/gtest.h>

#include "capability/policy_groups.h"
#include "capability/test_directory.h"

namespace nono::capability {
namespace {

const std::string kHead =
    "Sandbox initialization failed: Landlock deny-overlap is not enforceable on Linux. "
    "Refusing to start with conflicting policy.\n";

class DenyOverlaps : public testing::Test {
 protected:
  [[nodiscard]] std::string conflict(const std::vector<std::string>& deny) const {
    const Status status = validate_deny_overlaps(deny, set_);
    if (status) return "none";
    EXPECT_EQ(status.error().kind, ErrorKind::kSandboxInit);
    EXPECT_FALSE(status.error().hint.empty());
    return status.error().message;
  }
  [[nodiscard]] static std::string line(const std::string& denied, const std::string& allowed,
                                        const std::string& source) {
    return "deny '" + denied + "' overlaps allowed parent '" + allowed + "' (source: " + source + ")";
  }

  TestDirectory dir_;
  std::string ws_ = dir_.directory("ws");
  CapabilitySet set_;
};

TEST_F(DenyOverlaps, BelowADirectoryGrantOfAnySource) {
  ASSERT_TRUE(set_.allow_path(ws_, AccessMode::kRead));
  EXPECT_EQ(conflict({ws_ + "/.env"}), kHead + line(ws_ + "/.env", ws_, "user"));
  set_ = {};
  ASSERT_TRUE(set_.allow_path(ws_, AccessMode::kWrite, CapabilitySource::group("tools")));
  EXPECT_EQ(conflict({ws_ + "/a/b"}), kHead + line(ws_ + "/a/b", ws_, "group:tools"));
  set_ = {};
  ASSERT_TRUE(set_.allow_path("/", AccessMode::kRead, CapabilitySource::system()));
  EXPECT_EQ(conflict({ws_}), kHead + line(ws_, "/", "system"));
}

TEST_F(DenyOverlaps, EqualToADirectoryOrAFileGrant) {
  const std::string file = dir_.file("ws/.env");
  ASSERT_TRUE(set_.allow_path(ws_, AccessMode::kRead));
  EXPECT_EQ(conflict({ws_}), kHead + line(ws_, ws_, "user"));
  set_ = {};
  ASSERT_TRUE(set_.allow_file(file, AccessMode::kRead));
  EXPECT_EQ(conflict({file}), kHead + line(file, file, "user"));
}

TEST_F(DenyOverlaps, AnAllowInsideADenyIsLegitimate) {
  ASSERT_TRUE(set_.allow_path(ws_, AccessMode::kReadWrite));
  ASSERT_TRUE(set_.allow_file(dir_.file("file"), AccessMode::kRead));
  EXPECT_EQ(conflict({dir_.path()}), "none");
  EXPECT_EQ(conflict({"/"}), "none");
}

TEST_F(DenyOverlaps, NeighboursAndNothingAreNoConflict) {
  ASSERT_TRUE(set_.allow_path(ws_, AccessMode::kRead));
  EXPECT_EQ(conflict({ws_ + "2", dir_ / "other", "/etc/shadow"}), "none");
  EXPECT_EQ(conflict({}), "none");
  set_ = {};
  EXPECT_EQ(conflict({ws_}), "none");
}

TEST_F(DenyOverlaps, LinesAreSortedAndUnique) {
  ASSERT_TRUE(set_.allow_path(ws_, AccessMode::kRead));
  ASSERT_TRUE(set_.allow_path(ws_, AccessMode::kWrite));
  ASSERT_TRUE(set_.allow_path(dir_.path(), AccessMode::kRead, CapabilitySource::group("g")));
  EXPECT_EQ(conflict({ws_ + "/b", ws_ + "/a", ws_ + "/b"}),
            kHead + line(ws_ + "/a", dir_.path(), "group:g") + "\n" + line(ws_ + "/a", ws_, "user") + "\n" +
                line(ws_ + "/b", dir_.path(), "group:g") + "\n" + line(ws_ + "/b", ws_, "user"));
}

TEST_F(DenyOverlaps, ADenyThroughALinkOrWithDotsIsSeen) {
  ASSERT_TRUE(set_.allow_path(ws_, AccessMode::kRead));
  dir_.link("link", "ws");
  EXPECT_EQ(conflict({dir_ / "link/.env"}), kHead + line(ws_ + "/.env", ws_, "user"));
  EXPECT_EQ(conflict({dir_ / "link/.env", ws_ + "/.env"}), kHead + line(ws_ + "/.env", ws_, "user"));
  EXPECT_EQ(conflict({dir_ / "missing/../ws/x"}), kHead + line(dir_ / "missing/../ws/x", ws_, "user"));
}

TEST_F(DenyOverlaps, NamesCannotForgeLines) {
  ASSERT_TRUE(set_.allow_path(ws_, AccessMode::kRead));
  EXPECT_EQ(conflict({ws_ + "/x\ny"}), kHead + line(ws_ + "/x\\ny", ws_, "user"));
}

}  // namespace
}  // namespace nono::capability
