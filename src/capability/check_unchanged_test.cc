// A grant is an object. Whoever replaces what its path names is noticed, never followed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capability/fs_capability.h"
#include "capability/test_directory.h"

namespace nono::capability {
namespace {

namespace fs = std::filesystem;

class CheckUnchanged : public testing::Test {
 protected:
  static FsCapability grant_directory(const std::string& path) {
    return FsCapability::directory(path, AccessMode::kReadWrite, CapabilitySource::user()).value();
  }
  static FsCapability grant_file(const std::string& path) {
    return FsCapability::file(path, AccessMode::kReadWrite, CapabilitySource::user()).value();
  }

  static void expect_replaced(const FsCapability& grant) {
    const Status status = check_unchanged(grant);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kSandboxInit);
    EXPECT_EQ(status.error().message, "Sandbox initialization failed: granted path " + grant.resolved +
                                          " is no longer what was granted (it was replaced since); "
                                          "refusing to follow it");
    EXPECT_NE(status.error().hint.find("grant the path again"), std::string::npos);
  }

  TestDirectory dir_;
  std::string inner_ = dir_.directory("ws/in");
  std::string file_ = dir_.file("ws/file");
};

TEST_F(CheckUnchanged, AnUntouchedGrantPasses) {
  EXPECT_TRUE(check_unchanged(grant_directory(inner_)));
  EXPECT_TRUE(check_unchanged(grant_file(file_)));
  EXPECT_TRUE(check_unchanged(grant_directory("/")));
  EXPECT_TRUE(check_unchanged(grant_file("/dev/null")));
}

TEST_F(CheckUnchanged, ContentModeAndReturningNamesAreNoChange) {
  const FsCapability inner = grant_directory(inner_);
  const FsCapability file = grant_file(file_);
  dir_.file("ws/in/new");
  dir_.file("ws/file", "other content");
  ASSERT_EQ(::chmod(file_.c_str(), 0400), 0);
  fs::rename(inner_, dir_ / "away");
  fs::rename(dir_ / "away", inner_);
  EXPECT_TRUE(check_unchanged(inner));
  EXPECT_TRUE(check_unchanged(file));
}

TEST_F(CheckUnchanged, AnInnerDirectorySwappedForALinkIsRefused) {
  const FsCapability grant = grant_directory(inner_);
  fs::remove_all(inner_);
  dir_.link("ws/in", "/etc");
  expect_replaced(grant);
}

TEST_F(CheckUnchanged, ALinkToTheVeryObjectIsRefusedToo) {
  const FsCapability grant = grant_directory(inner_);
  fs::rename(inner_, dir_ / "moved");
  dir_.link("ws/in", dir_ / "moved");
  expect_replaced(grant);
}

TEST_F(CheckUnchanged, AParentSwappedForALinkIsRefused) {
  const FsCapability grant = grant_directory(inner_);
  dir_.directory("other/in");
  fs::rename(dir_ / "ws", dir_ / "ws-moved");
  dir_.link("ws", "other");
  expect_replaced(grant);
}

TEST_F(CheckUnchanged, AnotherObjectOfThatNameIsRefused) {
  const FsCapability inner = grant_directory(inner_);
  const FsCapability file = grant_file(file_);
  fs::remove_all(inner_);
  dir_.directory("ws/in");
  dir_.file("ws/new");
  fs::rename(dir_ / "ws/new", file_);
  expect_replaced(inner);
  expect_replaced(file);
}

TEST_F(CheckUnchanged, AnotherTypeOfThatNameIsRefused) {
  const FsCapability inner = grant_directory(inner_);
  fs::remove_all(inner_);
  dir_.file("ws/in");
  expect_replaced(inner);
}

TEST_F(CheckUnchanged, AnInodeNumberIsNotRecycledWhileTheGrantLives) {
  const FsCapability grant = grant_file(file_);
  for (int i = 0; i < 100; ++i) {
    fs::remove(file_);
    dir_.file("ws/file");
    ASSERT_FALSE(check_unchanged(grant)) << "round " << i;
  }
}

TEST_F(CheckUnchanged, ARemovedPathIsNamedAndEscaped) {
  const std::string odd = dir_.directory("ws/red\x1b[31m");
  const FsCapability grant = grant_directory(odd);
  fs::remove(odd);
  const Status status = check_unchanged(grant);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kSandboxInit);
  EXPECT_EQ(status.error().message, "Sandbox initialization failed: Cannot open Landlock rule path " +
                                        (dir_ / "ws/red\\x1b[31m") + ": No such file or directory (os error 2)");
  EXPECT_FALSE(status.error().hint.empty());
}

TEST_F(CheckUnchanged, AGrantThatNeverHeldAnythingIsRefused) {
  FsCapability forged = grant_directory(inner_);
  forged.handle = nullptr;
  expect_replaced(forged);
}

// On an overlay with two file systems, the first write to a hard-linked lower file gives it another
// inode number. It is still what was granted. The exit status of a process with its own mounts:
constexpr int kPassed = 0;
constexpr int kNoOverlay = 77;
int copy_up_in_a_private_namespace(const TestDirectory& dir) {
  if (::unshare(CLONE_NEWNS) != 0) return kNoOverlay;
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kNoOverlay;
  for (const char* name : {"lower", "upper", "merged"}) dir.directory(name);
  if (::mount("tmpfs", (dir / "upper").c_str(), "tmpfs", 0, nullptr) != 0) return kNoOverlay;
  fs::create_hard_link(dir.file("lower/file"), dir / "lower/second");
  const std::string options = "lowerdir=" + (dir / "lower") + ",upperdir=" + dir.directory("upper/files") +
                              ",workdir=" + dir.directory("upper/work");
  if (::mount("overlay", (dir / "merged").c_str(), "overlay", 0, options.c_str()) != 0) return kNoOverlay;

  const auto grant = FsCapability::file(dir / "merged/file", AccessMode::kRead, CapabilitySource::user());
  if (!grant) return 1;
  dir.file("merged/file", "copied up");
  struct stat now {};
  if (::lstat(grant->resolved.c_str(), &now) != 0) return 2;
  if (now.st_ino == grant->handle->identity.inode) return kNoOverlay;  // nothing to notice here
  return check_unchanged(*grant) ? kPassed : 3;
}

TEST_F(CheckUnchanged, OverlayCopyUpIsNoReplacement) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      ::_exit(copy_up_in_a_private_namespace(dir_));
    } catch (...) {
      ::_exit(4);
    }
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoOverlay) GTEST_SKIP() << "no such overlay here";
  EXPECT_EQ(WEXITSTATUS(status), kPassed);
}

}  // namespace
}  // namespace nono::capability
