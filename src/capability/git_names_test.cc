#include "capability/git_names.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "capability/capability_set.h"
#include "capability/denials_here.h"
#include "capability/test_directory.h"

namespace nono::capability {
namespace {

using Paths = std::vector<std::string>;

class GitNames : public ::testing::Test {
 protected:
  CapabilitySet granting(const Paths& writable) {
    CapabilitySet set;
    for (const auto& path : writable) EXPECT_TRUE(set.allow_path(dir / path, AccessMode::kReadWrite));
    return set;
  }
  // Without the test's directory in front.
  Paths found(const Paths& writable) {
    Paths paths;
    for (const Denial& denial : git_names_here(granting(writable).fs())) {
      EXPECT_EQ(denial.closes, Closes::kChanges);
      EXPECT_EQ(denial.protected_by, "git");
      EXPECT_FALSE(denial.unless_made);
      EXPECT_FALSE(denial.is_pattern());
      paths.push_back(denial.resolved.substr(dir.path().size() + 1));
    }
    return paths;
  }

  TestDirectory dir;
};

TEST_F(GitNames, WhereThereIsNoneNoneMayBeMade) {
  dir.directory("w");
  EXPECT_EQ(found({"w"}), Paths{"w/.git"});
  EXPECT_EQ(git_names_here(granting({"w"}).fs()).front().found, Found::kNothing);
  EXPECT_EQ(found({"w", "w"}), Paths{"w/.git"});
}

TEST_F(GitNames, AnExistingOneKeepsWhatItTrusts) {
  dir.directory("w/.git/hooks");
  dir.file("w/.git/config", "");
  EXPECT_EQ(found({"w"}), (Paths{"w/.git/config", "w/.git/config.worktree", "w/.git/hooks", "w/.git/commondir"}));
  const auto denials = git_names_here(granting({"w"}).fs());
  EXPECT_TRUE(denials[0].object);
  EXPECT_FALSE(denials[1].object);
}

void wait_until_settled() { ::usleep(100'000); }  // what has changed less than 50 ms ago is looked at again

TEST_F(GitNames, AreLookedAtAgainWhenSomethingHasChanged) {
  dir.directory("w/.git");
  const CapabilitySet set = granting({"w"});
  wait_until_settled();
  EXPECT_FALSE(git_names_here(set.fs())[0].object);
  dir.file("w/.git/config");
  EXPECT_TRUE(git_names_here(set.fs())[0].object);
  EXPECT_EQ(git_names_here(set.fs()), git_names_here(set.fs()));
  wait_until_settled();
  EXPECT_EQ(git_names_here(set.fs()), git_names_here(set.fs()));
  dir.directory("w/common");
  dir.file("w/.git/commondir", "../common");
  EXPECT_EQ(git_names_here(set.fs()).size(), 8U);
}

TEST_F(GitNames, WhatIsMadeWhereThereWasNothingIsSeen) {
  dir.directory("repository");
  dir.directory("bare");
  const CapabilitySet set = granting({"repository", "bare"});
  wait_until_settled();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(git_names_here(set.fs()).size(), 2U);
  dir.directory("repository/.git");
  EXPECT_EQ(git_names_here(set.fs()).size(), 5U);
  dir.directory("bare/objects");
  dir.directory("bare/refs");
  EXPECT_EQ(git_names_here(set.fs()).size(), 5U);
  dir.file("bare/HEAD");
  EXPECT_EQ(git_names_here(set.fs()).size(), 9U);
  ASSERT_EQ(::rmdir((dir / "repository/.git").c_str()), 0);
  EXPECT_EQ(git_names_here(set.fs()).size(), 6U);
}

TEST_F(GitNames, TimesMayBeAnyWhatever) {
  const std::string path = dir.directory("w");
  const CapabilitySet set = granting({"w"});
  for (const time_t second : {time_t{-2'000'000'000}, time_t{0}, time_t{15'000'000'000}}) {
    const timespec times[2] = {{second, 0}, {second, 999'999'999}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    wait_until_settled();
    for (int i = 0; i < 2; ++i) EXPECT_EQ(git_names_here(set.fs()).size(), 1U);
    dir.directory("w/.git");
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);  // as before, but for when that was done
    EXPECT_EQ(git_names_here(set.fs()).size(), 4U);
    ASSERT_EQ(::rmdir((dir / "w/.git").c_str()), 0);
  }
}

// Within one tick of the clock, by which most kernels give files their times.
TEST_F(GitNames, WhatIsMadeRightAfterALookIsSeen) {
  for (int i = 0; i < 50; ++i) {
    const std::string name = "w" + std::to_string(i);
    dir.directory(name);
    const CapabilitySet set = granting({name});
    EXPECT_EQ(git_names_here(set.fs()).size(), 1U);
    dir.directory(name + "/.git");
    EXPECT_EQ(git_names_here(set.fs()).size(), 4U);
    dir.file(name + "/.git/config");
    EXPECT_TRUE(git_names_here(set.fs())[0].object);
  }
}

TEST_F(GitNames, AWorktreeLeadsToItsRepository) {
  dir.directory("w");
  dir.directory("main.git/worktrees/w");
  dir.file("w/.git", "gitdir: " + (dir / "main.git/worktrees/w") + "\n");
  dir.file("main.git/worktrees/w/commondir", "../..\n");
  EXPECT_EQ(found({"w"}), Paths{"w/.git"}) << "nobody inside can change the rest";
  const Paths both = found({"w", "main.git"});
  for (const char* path : {"w/.git", "main.git/worktrees/w/commondir", "main.git/worktrees/w/config.worktree", "main.git/config", "main.git/hooks"}) {
    EXPECT_EQ(std::ranges::count(both, path), 1) << path;
  }
}

TEST_F(GitNames, ALinkIsFollowedAndStays) {
  dir.directory("w/real");
  dir.link("w/.git", "real");
  EXPECT_EQ(found({"w"}), (Paths{"w/.git", "w/real/config", "w/real/config.worktree", "w/real/hooks", "w/real/commondir"}));
  dir.directory("dangling");
  dir.link("dangling/.git", "nowhere");
  EXPECT_EQ(found({"dangling"}), Paths{"dangling/.git"});
}

TEST_F(GitNames, ABareRepositoryIsOne) {
  dir.directory("r/objects");
  dir.directory("r/refs");
  dir.file("r/HEAD", "ref: refs/heads/main\n");
  EXPECT_EQ(found({"r"}), (Paths{"r/.git", "r/config", "r/config.worktree", "r/hooks", "r/commondir"}));
}

TEST_F(GitNames, WhatAStrangerWroteOnlyAdds) {
  dir.directory("w");
  const std::map<std::string, std::string> contents = {
      {"empty", ""}, {"not git's", "hello"}, {"NUL", std::string("gitdir: a\0b", 11)}, {"long", "gitdir: " + std::string(100'000, 'a')},
      {"nothing", "gitdir: \n"}, {"outside", "gitdir: /etc\n"}, {"the root", "gitdir: /\n"}};
  for (const auto& [name, content] : contents) {
    dir.file("w/.git", content);
    EXPECT_EQ(found({"w"}), Paths{"w/.git"}) << name;
  }
  ASSERT_EQ(::unlink((dir / "w/.git").c_str()), 0);
  ASSERT_EQ(::mkfifo((dir / "w/.git").c_str(), 0600), 0);
  EXPECT_EQ(found({"w"}), Paths{"w/.git"}) << "and does not wait for one";
}

TEST_F(GitNames, AreLookedForOnlyWhenGitIsProtected) {
  dir.directory("w");
  dir.file("w/file", "");
  CapabilitySet set = granting({"w"});
  ASSERT_TRUE(set.deny_path(dir / "w/file"));
  ASSERT_TRUE(set.deny_path(dir / "w/none"));
  ASSERT_TRUE(set.protect({"shell"}));
  DenialList here = denials_here(set);
  ASSERT_EQ(here.own().size(), 2U);
  EXPECT_EQ(here[0].found, Found::kOneName);
  EXPECT_TRUE(here[0].object);
  EXPECT_EQ(here[1].found, Found::kNothing);
  EXPECT_EQ(here.shared_built_in(), set.denials().shared_built_in());
  ASSERT_TRUE(set.protect({"git"}));
  here = denials_here(set);
  ASSERT_EQ(here.own().size(), 3U);
  EXPECT_EQ(here[2].resolved, dir / "w/.git");
}

}  // namespace
}  // namespace nono::capability
