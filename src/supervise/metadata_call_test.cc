#include "supervise/metadata_call.h"

#include <gtest/gtest.h>
#include <linux/limits.h>

#include <cerrno>
#include <cstring>

#include "plan/seccomp_rules.h"
#include "supervise/test_memory.h"

namespace nono::supervise {
namespace {

std::variant<MetadataCall, int> call(std::string_view name, Arguments arguments, const std::string& memory) {
  return decode_metadata_call(name, arguments, Text(memory));
}

TEST(MetadataCall, EveryCallThatTheFilterPutsIsKnown) {
  for (const auto& known : plan::syscall_table()) {
    if (known.verdict != plan::Verdict::kMetadata) continue;
    EXPECT_NE(error_of(call(known.name, {}, page(""))), ENOSYS) << known.name;
  }
  EXPECT_EQ(error_of(call("open", {kBase}, page("x"))), ENOSYS);
}

TEST(MetadataCall, Chmod) {
  const auto decoded = std::get<MetadataCall>(call("chmod", {kBase, 0170644}, page("a/b")));
  EXPECT_EQ(decoded.target.directory, AT_FDCWD);
  EXPECT_EQ(decoded.target.path, "a/b");
  EXPECT_TRUE(decoded.target.follow);
  EXPECT_EQ(std::get<Mode>(decoded.change).mode, 0644U);  // without what is no permission
}

TEST(MetadataCall, ADirectoryIsAnInt) {
  const auto decoded = std::get<MetadataCall>(call("fchmodat", {0xdeadbeef00000007, kBase, 0600}, page("x")));
  EXPECT_EQ(decoded.target.directory, 7);
}

TEST(MetadataCall, EmptyPaths) {
  EXPECT_EQ(error_of(call("fchmodat2", {3, kBase, 0600, 0}, page(""))), ENOENT);
  const auto decoded = std::get<MetadataCall>(call("fchmodat2", {3, kBase, 0600, AT_EMPTY_PATH}, page("")));
  EXPECT_FALSE(decoded.target.path);
  EXPECT_EQ(decoded.target.directory, 3);
  EXPECT_EQ(error_of(call("fchmodat2", {3, kBase, 0600, 0x40}, page("x"))), EINVAL);
}

TEST(MetadataCall, PathsThatEndBadly) {
  EXPECT_EQ(error_of(call("chmod", {kBase, 0600}, std::string(300, 'x'))), EFAULT);
  EXPECT_EQ(error_of(call("chmod", {kBase, 0600}, std::string(2 * PATH_MAX, 'x'))), ENAMETOOLONG);
  EXPECT_EQ(error_of(call("chmod", {0, 0600}, page("x"))), EFAULT);
  EXPECT_EQ(error_of(call("chmod", {~0ULL, 0600}, page("x"))), EFAULT);
  // To the last byte before memory that cannot be read.
  const std::string last(4095, 'x');
  EXPECT_EQ(std::get<MetadataCall>(call("chmod", {kBase, 0600}, last + '\0')).target.path, last);
}

TEST(MetadataCall, Times) {
  const auto now = std::get<MetadataCall>(call("utimensat", {5, 0, 0, 0}, ""));
  EXPECT_FALSE(std::get<Times>(now.change).times);
  EXPECT_FALSE(now.target.path);
  EXPECT_EQ(error_of(call("utimensat", {static_cast<std::uint64_t>(AT_FDCWD), 0, 0, 0}, "")), EFAULT);
  EXPECT_EQ(error_of(call("utimensat", {5, 0, 0, AT_SYMLINK_NOFOLLOW}, "")), EINVAL);
  std::string memory = page("f");
  const std::array<std::int64_t, 4> given{1, 999'999, 3, 4};
  std::memcpy(memory.data() + 64, given.data(), sizeof given);
  const auto micro = std::get<MetadataCall>(call("utimes", {kBase, kBase + 64}, memory));
  EXPECT_EQ(std::get<Times>(micro.change).times->at(0).tv_nsec, 999'999'000);
  EXPECT_EQ(std::get<Times>(micro.change).times->at(1).tv_sec, 3);
  memory[64 + 11] = 1;  // more than a second of microseconds
  EXPECT_EQ(error_of(call("utimes", {kBase, kBase + 64}, memory)), EINVAL);
  EXPECT_EQ(error_of(call("utimes", {kBase, kBase + 4090}, memory)), EFAULT);
}

TEST(MetadataCall, Attributes) {
  const std::string memory = page(std::string("f\0user.name\0value", 17));
  const auto set = std::get<MetadataCall>(call("setxattr", {kBase, kBase + 2, kBase + 12, 5, 1}, memory));
  const auto& change = std::get<SetAttribute>(set.change);
  EXPECT_EQ(change.name, "user.name");
  EXPECT_EQ(change.value.size(), 5U);
  EXPECT_EQ(change.flags, 1);
  EXPECT_EQ(error_of(call("setxattr", {kBase, kBase + 2, kBase + 12, 65537, 0}, memory)), E2BIG);
  EXPECT_EQ(error_of(call("setxattr", {kBase, kBase + 2, 0, 5, 0}, memory)), EFAULT);
  EXPECT_EQ(error_of(call("setxattr", {kBase, kBase + 100, kBase, 1, 0}, memory)), ERANGE);  // no name
  EXPECT_EQ(error_of(call("removexattr", {kBase, kBase + 1}, "x" + std::string(4000, 'n'))), EFAULT);
  EXPECT_EQ(error_of(call("setxattrat", {3, kBase, 0, kBase + 2, kBase + 64, 15}, memory)), EINVAL);
  EXPECT_EQ(error_of(call("setxattrat", {3, kBase, 0, kBase + 2, kBase + 64, 17}, memory)), E2BIG);
}

TEST(MetadataCall, FlagsOfFiles) {
  const auto set = std::get<MetadataCall>(call("ioctl", {4, 0xffffffff40086602, kBase}, page("")));
  EXPECT_EQ(std::get<FileFlags>(set.change).request, 0x40086602U);
  EXPECT_EQ(std::get<FileFlags>(set.change).argument.size(), sizeof(int));
  EXPECT_EQ(error_of(call("ioctl", {4, 0x5401, kBase}, page(""))), ENOTTY);
  EXPECT_EQ(error_of(call("ioctl", {0xffffffff, 0x40086602, kBase}, page(""))), EBADF);
  EXPECT_EQ(error_of(call("file_setattr", {3, kBase, kBase, 23, 0}, page("f"))), EINVAL);
  EXPECT_EQ(error_of(call("file_setattr", {3, kBase, kBase, 4097, 0}, page("f"))), E2BIG);
}

}  // namespace
}  // namespace nono::supervise
