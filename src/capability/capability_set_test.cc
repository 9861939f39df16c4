#include "capability/capability_set.h"

#include <gtest/gtest.h>

#include "capability/test_directory.h"

namespace nono::capability {
namespace {

class CapabilitySetTest : public testing::Test {
 protected:
  TestDirectory dir_;
  std::string inner_ = dir_.directory("inner");
  std::string file_ = dir_.file("file");
};

TEST_F(CapabilitySetTest, GrantsStandInTheOrderTheyWereGiven) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(inner_, AccessMode::kRead));
  ASSERT_TRUE(set.allow_file(file_, AccessMode::kWrite, CapabilitySource::system()));
  ASSERT_TRUE(set.allow_path(inner_, AccessMode::kRead));
  ASSERT_EQ(set.fs().size(), 3U);
  EXPECT_EQ(set.fs()[0].resolved, inner_);
  EXPECT_EQ(set.fs()[0].source.to_string(), "user");
  EXPECT_EQ(set.fs()[1].resolved, file_);
  EXPECT_EQ(set.fs()[1].source.to_string(), "system");
}

TEST_F(CapabilitySetTest, AFailedGrantAddsNothing) {
  CapabilitySet set;
  EXPECT_EQ(set.allow_path(dir_ / "missing", AccessMode::kRead).error().kind, ErrorKind::kPathNotFound);
  EXPECT_EQ(set.allow_path(file_, AccessMode::kRead).error().kind, ErrorKind::kExpectedDirectory);
  EXPECT_EQ(set.allow_file(inner_, AccessMode::kRead).error().kind, ErrorKind::kExpectedFile);
  EXPECT_TRUE(set.fs().empty());
}

TEST_F(CapabilitySetTest, AllowAnyTakesWhatThePathIs) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_any(inner_, AccessMode::kRead, CapabilitySource::group("g")));
  ASSERT_TRUE(set.allow_any(file_, AccessMode::kRead, CapabilitySource::group("g")));
  EXPECT_FALSE(set.fs()[0].is_file);
  EXPECT_TRUE(set.fs()[1].is_file);
}

TEST_F(CapabilitySetTest, CopiesAreIndependent) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(inner_, AccessMode::kRead));
  CapabilitySet copy = set;
  ASSERT_TRUE(copy.allow_file(file_, AccessMode::kRead));
  copy.block_network();
  copy.allow_bind_port(80);
  EXPECT_EQ(set.fs().size(), 1U);
  EXPECT_FALSE(set.is_network_blocked());
  EXPECT_TRUE(set.bind_ports().empty());
}

TEST_F(CapabilitySetTest, PathCoveredIsLexicalAndKnowsOnlyDirectories) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(inner_, AccessMode::kRead));
  ASSERT_TRUE(set.allow_file(file_, AccessMode::kRead));
  EXPECT_TRUE(set.path_covered(inner_));
  EXPECT_TRUE(set.path_covered(inner_ + "/does/not/exist"));
  EXPECT_FALSE(set.path_covered(inner_ + "2"));
  EXPECT_FALSE(set.path_covered(inner_ + "/../file"));
  EXPECT_FALSE(set.path_covered(dir_.path()));
  EXPECT_FALSE(set.path_covered(file_));
  EXPECT_FALSE(set.path_covered("relative"));
  EXPECT_FALSE(CapabilitySet().path_covered("/"));
}

TEST_F(CapabilitySetTest, SummaryOfNothing) {
  EXPECT_EQ(CapabilitySet().summary(), "(no capabilities granted)\nNetwork:\n  outbound: allowed");
}

TEST_F(CapabilitySetTest, SummaryOfEverything) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(inner_, AccessMode::kReadWrite));
  ASSERT_TRUE(set.allow_file(file_, AccessMode::kWrite));
  set.block_network();
  set.allow_localhost_port(5432);
  set.allow_tcp_connect_port(443);
  set.allow_tcp_connect_port(80);
  set.allow_tcp_connect_port(443);
  set.allow_bind_port(8080);
  EXPECT_EQ(set.summary(), "Filesystem:\n"
                           "  " + inner_ + " [read+write] (dir)\n"
                           "  " + file_ + " [write] (file)\n"
                           "Network:\n"
                           "  outbound: blocked\n"
                           "  tcp connect ports: 443, 80, 443\n"
                           "  tcp bind ports: 8080");
  EXPECT_EQ(set.network_text(), "blocked");
}

TEST_F(CapabilitySetTest, AHostileNameCannotForgeLinesOfTheSummary) {
  const std::string odd = dir_.directory("x\n  outbound: allowed");
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(odd, AccessMode::kRead));
  EXPECT_NE(set.summary().find("x\\n  outbound: allowed [read] (dir)\nNetwork:"), std::string::npos);
}

TEST(GrantList, ACopyKeepsWhatItHas) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path("/usr", AccessMode::kRead));
  const CapabilitySet copy = set;
  const auto names = set.fs().names();
  ASSERT_TRUE(set.allow_path("/", AccessMode::kRead));
  EXPECT_EQ(set.fs().size(), 2U);
  EXPECT_EQ(copy.fs().size(), 1U);
  EXPECT_EQ(names->size(), 1U);
  EXPECT_EQ(set.fs().names()->size(), 2U);
}

TEST(GrantList, NamesHoldNothingOpen) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path("/usr", AccessMode::kRead));
  const auto names = set.fs().names();
  EXPECT_TRUE(set.fs()[0].handle->fd.valid());
  EXPECT_FALSE((*names)[0].handle->fd.valid());
  EXPECT_EQ((*names)[0].handle->identity.inode, set.fs()[0].handle->identity.inode);
}

}  // namespace
}  // namespace nono::capability
