#include "capability/fs_capability.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <thread>

#include "capability/test_directory.h"
#include "kernel/uapi.h"

namespace nono::capability {
namespace {

using namespace std::string_literals;

Result<FsCapability> directory(const std::string& path) {
  return FsCapability::directory(path, AccessMode::kRead, CapabilitySource::user());
}

Result<FsCapability> file(const std::string& path) {
  return FsCapability::file(path, AccessMode::kRead, CapabilitySource::user());
}

void expect_error(const Result<FsCapability>& result, ErrorKind kind, const std::string& message) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, kind);
  EXPECT_EQ(result.error().message, message);
}

// Root opens everything; for the length of this object this thread's file accesses are nobody's.
class AsNobody {
 public:
  AsNobody() {
    if (::geteuid() == 0) ::setfsuid(65534);
  }
  ~AsNobody() { ::setfsuid(::geteuid()); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
};

TEST(FsCapability, HoldsADirectoryByDescriptor) {
  const TestDirectory dir;
  const std::string real = dir.directory("real");
  dir.link("link", "real");
  const auto grant = FsCapability::directory(dir / "link", AccessMode::kReadWrite, CapabilitySource::group("tools"));
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->original, dir / "link");
  EXPECT_EQ(grant->resolved, real);
  EXPECT_EQ(grant->access, AccessMode::kReadWrite);
  EXPECT_FALSE(grant->is_file);
  EXPECT_EQ(grant->source.to_string(), "group:tools");
  EXPECT_EQ(grant->to_string(), real + " (read+write)");

  struct stat st {};
  ASSERT_EQ(::lstat(real.c_str(), &st), 0);
  EXPECT_EQ(grant->handle->identity, (kernel::Identity{st.st_dev, st.st_ino, st.st_mode}));
  const int fd = grant->handle->fd.get();
  EXPECT_GT(fd, 2);
  EXPECT_EQ(::fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(::fcntl(fd, F_GETFL) & O_PATH, O_PATH);
}

TEST(FsCapability, AnythingButADirectoryIsAFile) {
  const TestDirectory dir;
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  for (const std::string& path : {dir.file("plain"), dir / "fifo", "/dev/null"s}) {
    const auto grant = file(path);
    ASSERT_TRUE(grant) << path;
    EXPECT_TRUE(grant->is_file);
    EXPECT_EQ(grant->to_string(), path + " (read)");
  }
}

TEST(FsCapability, CopiesShareTheDescriptorUntilTheLastIsGone) {
  const TestDirectory dir;
  auto grant = directory(dir.path());
  ASSERT_TRUE(grant);
  const int fd = grant->handle->fd.get();
  {
    const FsCapability copy = *std::move(grant);
    EXPECT_EQ(copy.handle->fd.get(), fd);
    EXPECT_GE(::fcntl(fd, F_GETFD), 0);
  }
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

TEST(FsCapability, SourcesPrintAsUpstreamPrintsThem) {
  EXPECT_EQ(CapabilitySource::user().to_string(), "user");
  EXPECT_EQ(CapabilitySource::profile().to_string(), "profile");
  EXPECT_EQ(CapabilitySource::system().to_string(), "system");
  EXPECT_EQ(CapabilitySource::group("web").to_string(), "group:web");
  EXPECT_TRUE(CapabilitySource::profile().is_user_intent());
  EXPECT_FALSE(CapabilitySource::group("web").is_user_intent());
}

TEST(FsCapabilityError, MissingPath) {
  const TestDirectory dir;
  const std::string path = dir / "missing";
  expect_error(directory(path), ErrorKind::kPathNotFound, "Path does not exist: " + path);
  expect_error(file(path), ErrorKind::kPathNotFound, "Path does not exist: " + path);
  expect_error(directory(""), ErrorKind::kPathNotFound, "Path does not exist: ");
  dir.link("dangling", "missing");
  expect_error(file(dir / "dangling"), ErrorKind::kPathNotFound, "Path does not exist: " + (dir / "dangling"));
}

TEST(FsCapabilityError, WrongTypeNamesThePathAsGiven) {
  const TestDirectory dir;
  dir.directory("real");
  dir.link("link", "real");
  const std::string plain = dir.file("plain");
  expect_error(directory(plain), ErrorKind::kExpectedDirectory, "Expected a directory but got a file: " + plain);
  expect_error(file(dir / "link"), ErrorKind::kExpectedFile,
               "Expected a file but got a directory: " + (dir / "link"));
}

TEST(FsCapabilityError, UnresolvablePath) {
  const TestDirectory dir;
  const std::string below_file = dir.file("plain") + "/x";
  expect_error(file(below_file), ErrorKind::kPathResolution,
               "Failed to canonicalize path " + below_file + ": Not a directory (os error 20)");
  const std::string loop = dir.link("loop", "loop");
  expect_error(file(loop), ErrorKind::kPathResolution,
               "Failed to canonicalize path " + loop + ": Too many levels of symbolic links (os error 40)");
  const std::string too_long = dir / std::string(300, 'x');
  expect_error(file(too_long), ErrorKind::kPathResolution,
               "Failed to canonicalize path " + too_long + ": File name too long (os error 36)");
  expect_error(file("/etc\0/passwd"s), ErrorKind::kPathResolution,
               "Failed to canonicalize path /etc\\x00/passwd: file name contained an unexpected NUL byte");
}

TEST(FsCapabilityError, PermissionDenied) {
  const TestDirectory dir;
  const std::string path = dir.directory("closed/inner");
  ASSERT_EQ(::chmod((dir / "closed").c_str(), 0), 0);
  {
    const AsNobody nobody;
    expect_error(directory(path), ErrorKind::kPathResolution,
                 "Failed to canonicalize path " + path + ": Permission denied (os error 13)");
  }
  ASSERT_EQ(::chmod((dir / "closed").c_str(), 0700), 0);
}

TEST(FsCapabilityError, NoDescriptorLeftIsNotAPropertyOfThePath) {
  const TestDirectory dir;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto grant = directory(dir.path());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  expect_error(grant, ErrorKind::kIo,
               "I/O error: cannot hold " + dir.path() + ": Too many open files (os error 24)");
  EXPECT_FALSE(grant.error().hint.empty());
}

TEST(FsCapability, NeverLandsOnAStandardStream) {
  EXPECT_EXIT(
      {
        ::close(0);
        ::close(1);
        const auto grant = directory("/");
        ::_exit(grant && grant->handle->fd.get() > 2 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

// An attacker swaps a directory on the way for a link all the time. The resolution of a deep path is
// slow enough to be overtaken; what is then granted under the honest name must be the honest object.
int redirected_grants() {
  const TestDirectory dir;
  std::string below;
  for (int i = 0; i < 60; ++i) below += "/d";
  const std::string swapped = dir / "inner";
  const std::string inner = dir.directory("inner" + below);
  dir.directory("secret" + below);
  const std::string link = dir.link("link", "secret");
  const auto honest = directory(inner);
  if (!honest) return -1;

  std::atomic<bool> stop = false;
  std::thread attacker([&] {
    while (!stop) {
      ::syscall(SYS_renameat2, AT_FDCWD, swapped.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
    }
  });
  int redirected = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto grant = directory(inner);
    if (grant && grant->resolved == inner && grant->handle->identity != honest->handle->identity) ++redirected;
  }
  stop = true;
  attacker.join();
  return redirected;
}

TEST(FsCapability, ASwapWhileGrantingNeverRedirectsTheGrant) { EXPECT_EQ(redirected_grants(), 0); }

// openat2 answers as on a kernel that does not have it.
bool hide_openat2() {
  std::array<sock_filter, 4> code = {{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(kernel::kNrOpenat2)},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog program{code.size(), code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

constexpr int kNoSeccomp = 77;

bool passed_or_no_seccomp(int status) {
  return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kNoSeccomp);
}

TEST(FsCapability, WorksAndReportsTheSameWithoutOpenat2) {
  const TestDirectory dir;
  const std::string real = dir.directory("real");
  const std::string plain = dir.file("plain");
  dir.link("link", "real");
  EXPECT_EXIT(
      {
        if (!hide_openat2()) ::_exit(kNoSeccomp);
        const auto grant = directory(dir / "link");
        const bool held = grant && grant->resolved == real && check_unchanged(*grant) && directory("/");
        const bool refused = directory(plain).error().kind == ErrorKind::kExpectedDirectory &&
                             directory(dir / "missing").error().kind == ErrorKind::kPathNotFound;
        ::_exit(held && refused ? 0 : 1);
      },
      passed_or_no_seccomp, "");
}

TEST(FsCapability, ASwapWhileGrantingWithoutOpenat2NeverRedirectsTheGrant) {
  EXPECT_EXIT(
      {
        if (!hide_openat2()) ::_exit(kNoSeccomp);
        ::_exit(redirected_grants() == 0 ? 0 : 1);
      },
      passed_or_no_seccomp, "");
}

}  // namespace
}  // namespace nono::capability
