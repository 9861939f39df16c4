// Patterns as grants: what they give by name, and what a plan needs for that.
#include <gtest/gtest.h>

#include "capability/sandbox_state.h"
#include "capability/test_directory.h"
#include "kernel/uapi.h"
#include "plan/explain.h"
#include "plan/plan.h"
#include "plan/record.h"

namespace nono::plan {
namespace {

using capability::AccessMode;
using capability::CapabilitySet;

class GrantedPatterns : public testing::Test {
 protected:
  kernel::HostFacts facts(bool supervisor = true) const {
    kernel::HostFacts host;
    host.user_notification = supervisor;
    host.landlock_abi = 7;
    host.seccomp_filter = true;
    host.uid = 1000;
    return host;
  }
  PathAnswer ask(const std::string& path, AccessMode mode) const {
    return explain_path(set_.fs(), {}, capability::ancestry_of(path), mode);
  }
  bool reads(const std::string& path) const { return ask(path, AccessMode::kRead).allowed(); }
  bool writes(const std::string& path) const { return ask(path, AccessMode::kWrite).allowed(); }

  capability::TestDirectory dir_;
  std::string deep_ = dir_.directory("a/deep");
  CapabilitySet set_;
};

TEST_F(GrantedPatterns, GiveWhatHasAMatchingNameAndAllBelowIt) {
  ASSERT_TRUE(set_.allow_glob(dir_ / "**/*.csv", AccessMode::kRead));
  dir_.file("a/x.csv");
  dir_.file("a/x.txt");
  dir_.directory("a/all.csv");
  dir_.file("a/all.csv/any");
  EXPECT_TRUE(reads(dir_ / "a/x.csv"));
  EXPECT_TRUE(reads(dir_ / "a/all.csv/any"));
  EXPECT_TRUE(reads(dir_ / "a/later.csv"));
  EXPECT_FALSE(reads(dir_ / "a/x.txt"));
  EXPECT_FALSE(reads(dir_ / "a/X.CSV"));
  EXPECT_FALSE(writes(dir_ / "a/x.csv"));
  EXPECT_EQ(ask(dir_ / "a/x.csv", AccessMode::kRead).granted_path, dir_ / "**/*.csv");
}

TEST_F(GrantedPatterns, DirectoriesOnTheWayAreListedAndNotChanged) {
  ASSERT_TRUE(set_.allow_glob(dir_ / "a/*/*.csv", AccessMode::kReadWrite));
  dir_.directory("b");
  dir_.file("a/file");
  dir_.directory("a/deep/deeper");
  EXPECT_TRUE(reads(dir_ / "a"));
  EXPECT_TRUE(reads(deep_));
  EXPECT_FALSE(writes(deep_));
  EXPECT_FALSE(reads(deep_ + "/deeper"));
  EXPECT_FALSE(reads(dir_ / "a/file"));
  EXPECT_FALSE(reads(dir_ / "b"));
  EXPECT_FALSE(reads(dir_.path()));
}

TEST_F(GrantedPatterns, AddUpWithOtherGrants) {
  ASSERT_TRUE(set_.allow_path(dir_.path(), AccessMode::kRead));
  ASSERT_TRUE(set_.allow_glob(dir_ / "**/*.log", AccessMode::kWrite));
  const PathAnswer both = ask(dir_ / "a/x.log", AccessMode::kReadWrite);
  EXPECT_EQ(both.granted_path, dir_.path() + " (read) + " + (dir_ / "**/*.log") + " (write)");
  EXPECT_TRUE(reads(dir_ / "a/x.txt"));
  EXPECT_EQ(ask(dir_ / "a/x.txt", AccessMode::kWrite).reason, PathAnswer::Reason::kInsufficientAccess);
}

TEST_F(GrantedPatterns, HaveEveryOpenAskedAndNothingExecuted) {
  ASSERT_TRUE(set_.allow_glob(dir_ / "**/*.csv", AccessMode::kRead));
  const auto plan = make_plan(set_, facts());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->seccomp_rules.names, Names::kAllAsked);
  EXPECT_EQ(plan->landlock.paths.front().path, dir_.path());
  EXPECT_EQ(plan->landlock.paths.front().access, kernel::kFsReadFile | kernel::kFsReadDir);
  EXPECT_NE(record_json(*plan).find(R"("pattern": ")" + (dir_ / "**/*.csv")), std::string::npos);
}

TEST_F(GrantedPatterns, OnlyToWriteHaveOnlyChangesAsked) {
  ASSERT_TRUE(set_.allow_glob(dir_ / "*.log", AccessMode::kWrite));
  EXPECT_EQ(make_plan(set_, facts())->seccomp_rules.names, Names::kChangesAsked);
}

TEST_F(GrantedPatterns, AreRefusedWhereNobodyCanBeAsked) {
  ASSERT_TRUE(set_.allow_glob(dir_ / "*.csv", AccessMode::kRead));
  const auto expect_refused = [&](const Options& options, bool supervisor, const std::string& why) {
    const auto plan = make_plan(set_, facts(supervisor), options);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind, ErrorKind::kSandboxInit);
    EXPECT_NE(plan.error().message.find("the granted pattern " + (dir_ / "*.csv") + " takes a supervisor"), std::string::npos);
    EXPECT_NE(plan.error().message.find(why), std::string::npos) << plan.error().message;
  };
  Options of_process, with_uid;
  of_process.subject = Subject::kThisProcess;
  with_uid.uid = 1000;
  expect_refused({}, false, "this host allows none");
  expect_refused(of_process, true, "a running process");
  expect_refused(with_uid, true, "a uid or gid");
}

TEST_F(GrantedPatterns, MustBeginWithADirectoryThatExists) {
  EXPECT_EQ(set_.allow_glob("**/*.csv", AccessMode::kRead).error().message,
            "Invalid pattern **/*.csv: it begins with no directory");
  EXPECT_EQ(set_.allow_glob("/*.csv", AccessMode::kRead).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(set_.allow_glob(dir_ / "none/*.csv", AccessMode::kRead).error().kind, ErrorKind::kPathNotFound);
  EXPECT_EQ(set_.allow_glob(dir_.file("file") + "/*", AccessMode::kRead).error().kind, ErrorKind::kExpectedDirectory);
  EXPECT_EQ(set_.allow_glob(dir_ / "[a", AccessMode::kRead).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_TRUE(set_.fs().empty());
}

TEST_F(GrantedPatterns, WithoutWildcardsAreADirectory) {
  ASSERT_TRUE(set_.allow_glob(dir_ / "**", AccessMode::kRead));
  EXPECT_FALSE(set_.fs()[0].pattern);
  EXPECT_TRUE(reads(dir_ / "a/anything"));
}

TEST_F(GrantedPatterns, AreNeverUnitedWithTheirDirectory) {
  ASSERT_TRUE(set_.allow_path(dir_.path(), AccessMode::kRead));
  ASSERT_TRUE(set_.allow_glob(dir_ / "*.log", AccessMode::kRead));
  ASSERT_TRUE(set_.allow_glob(dir_ / "*.log", AccessMode::kWrite));
  set_.deduplicate();
  ASSERT_EQ(set_.fs().size(), 2U);
  EXPECT_EQ(set_.fs()[0].access, AccessMode::kRead);
  EXPECT_EQ(set_.fs()[1].access, AccessMode::kReadWrite);
  EXPECT_EQ(set_.fs()[1].to_string(), (dir_ / "*.log") + " (read+write)");
}

TEST_F(GrantedPatterns, CannotBeToldInAStateThatKnowsNone) {
  ASSERT_TRUE(set_.allow_glob(dir_ / "*.log", AccessMode::kRead));
  const auto state = capability::SandboxState::from_caps(set_);
  ASSERT_FALSE(state);
  EXPECT_NE(state.error().message.find("serializing would grant all of"), std::string::npos);
}

}  // namespace
}  // namespace nono::plan
