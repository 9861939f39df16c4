#include "plan/explain_socket.h"

#include <gtest/gtest.h>

#include "capability/test_directory.h"

namespace nono::plan {
namespace {

using capability::AccessMode;
using capability::CapabilitySet;
using capability::SocketMode;
using capability::SocketScope;
using Reason = SocketAnswer::Reason;

class ExplainSocketTest : public testing::Test {
 protected:
  SocketAnswer ask(const std::string& path, SocketUse use) const {
    Plan plan;
    plan.grants = set_.fs();
    plan.denials = set_.denials();
    plan.unix_sockets = set_.unix_sockets();
    plan.seccomp_rules.unix_sockets = sockets_;
    return explain_unix_socket(plan, capability::ancestry_of(path), use);
  }
  Reason connect(const std::string& path) const { return ask(path, SocketUse::kConnect).reason; }
  Reason bind(const std::string& path) const { return ask(path, SocketUse::kBind).reason; }

  capability::TestDirectory dir_;
  std::string run_ = dir_.directory("run");
  CapabilitySet set_;
  UnixSockets sockets_ = UnixSockets::kAsked;
};

TEST_F(ExplainSocketTest, WhereNoneCanBeMade) {
  ASSERT_TRUE(set_.allow_path(dir_.path(), AccessMode::kReadWrite));
  sockets_ = UnixSockets::kNone;
  EXPECT_EQ(connect(run_ + "/s"), Reason::kNoSockets);
  EXPECT_EQ(bind(run_ + "/s"), Reason::kNoSockets);
}

TEST_F(ExplainSocketTest, NothingIsGrantedByFileGrants) {
  ASSERT_TRUE(set_.allow_path(dir_.path(), AccessMode::kReadWrite));
  EXPECT_EQ(connect(run_ + "/s"), Reason::kNotGranted);
  EXPECT_EQ(ask(run_ + "/s", SocketUse::kConnect).granted_path, dir_.path());
  const SocketAnswer making = ask(run_ + "/s", SocketUse::kBind);
  EXPECT_EQ(making.reason, Reason::kWritable);
  EXPECT_TRUE(making.allowed());
  EXPECT_EQ(making.granted_path, dir_.path());
}

TEST_F(ExplainSocketTest, ReadingIsNotMaking) {
  ASSERT_TRUE(set_.allow_path(dir_.path(), AccessMode::kRead));
  EXPECT_EQ(bind(run_ + "/s"), Reason::kNotGranted);
}

TEST_F(ExplainSocketTest, TheGrantIsNamed) {
  dir_.directory("run/deep");
  ASSERT_TRUE(set_.allow_unix_socket(run_, SocketScope::kDirSubtree));
  ASSERT_TRUE(set_.allow_unix_socket(run_ + "/deep", SocketScope::kDirChildren, SocketMode::kConnectBind));
  EXPECT_EQ(ask(run_ + "/s", SocketUse::kConnect).grant->resolved, run_);
  EXPECT_EQ(ask(run_ + "/deep/s", SocketUse::kConnect).grant->resolved, run_ + "/deep");
  EXPECT_EQ(connect(run_), Reason::kNotGranted);
  EXPECT_EQ(connect(dir_ / "running"), Reason::kNotGranted);
  EXPECT_EQ(bind(run_ + "/deep/s"), Reason::kGranted);
  EXPECT_EQ(bind(run_ + "/deep/deeper/s"), Reason::kConnectOnly);
  EXPECT_FALSE(ask(run_ + "/s", SocketUse::kBind).allowed());
  EXPECT_EQ(ask(run_ + "/s", SocketUse::kBind).grant->resolved, run_);
  EXPECT_EQ(bind(dir_ / "s"), Reason::kNotGranted);
}

TEST_F(ExplainSocketTest, AWideGrantWithBindCountsUnderANarrowOneWithout) {
  ASSERT_TRUE(set_.allow_unix_socket(run_, SocketScope::kDirSubtree, SocketMode::kConnectBind));
  ASSERT_TRUE(set_.allow_unix_socket(run_ + "/s"));
  EXPECT_EQ(ask(run_ + "/s", SocketUse::kBind).grant->resolved, run_);
  EXPECT_EQ(ask(run_ + "/s", SocketUse::kConnect).grant->resolved, run_ + "/s");
}

TEST_F(ExplainSocketTest, ADenialBeatsTheGrant) {
  ASSERT_TRUE(set_.allow_unix_socket(run_, SocketScope::kDirSubtree, SocketMode::kConnectBind));
  ASSERT_TRUE(set_.deny_path(run_ + "/s"));
  const SocketAnswer answer = ask(run_ + "/s", SocketUse::kConnect);
  EXPECT_EQ(answer.reason, Reason::kDeniedPath);
  EXPECT_EQ(answer.denied_path, run_ + "/s");
  EXPECT_EQ(bind(run_ + "/s"), Reason::kDeniedPath);
  EXPECT_EQ(connect(run_ + "/other"), Reason::kGranted);
}

}  // namespace
}  // namespace nono::plan
