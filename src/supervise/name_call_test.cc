#include "supervise/name_call.h"

#include <gtest/gtest.h>
#include <linux/limits.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "kernel/uapi.h"
#include "plan/seccomp_rules.h"
#include "supervise/decode.h"
#include "supervise/test_memory.h"

namespace nono::supervise {
namespace {

constexpr auto kHere = static_cast<std::uint64_t>(AT_FDCWD);

std::variant<NameCall, int> call(std::string_view name, Arguments arguments, const std::string& memory) {
  return decode_name_call(name, arguments, Text(memory));
}

template <class Kind>
Kind decoded(std::string_view name, Arguments arguments, const std::string& memory) {
  return std::get<Kind>(std::get<NameCall>(call(name, arguments, memory)));
}

TEST(NameCall, EveryCallThatTheFilterPutsIsKnown) {
  for (const auto& known : plan::syscall_table()) {
    switch (known.verdict) {
      case plan::Verdict::kName:
      case plan::Verdict::kTruncate:
      case plan::Verdict::kOpen:
      case plan::Verdict::kOpenat:
      case plan::Verdict::kOpenat2: EXPECT_NE(error_of(call(known.name, {}, page(""))), ENOSYS) << known.name; break;
      default: EXPECT_EQ(error_of(call(known.name, {}, page(""))), ENOSYS) << known.name;
    }
  }
}

TEST(NameCall, ByNumber) {
  const auto x86 = decode(kernel::Arch::kX86_64, 257, {kHere, kBase, O_WRONLY}, Text(page("f")));
  const auto arm = decode(kernel::Arch::kAarch64, 56, {kHere, kBase, O_WRONLY}, Text(page("f")));
  EXPECT_EQ(std::get<Open>(std::get<NameCall>(std::get<Call>(x86))).flags, O_WRONLY);
  EXPECT_EQ(std::get<Open>(std::get<NameCall>(std::get<Call>(arm))).target.path, "f");
  EXPECT_TRUE(std::holds_alternative<MetadataCall>(
      std::get<Call>(decode(kernel::Arch::kX86_64, 90, {kBase, 0600}, Text(page("f"))))));
  for (const int number : {100'000, -1, 0}) {
    EXPECT_EQ(error_of(decode(kernel::Arch::kX86_64, number, {kBase}, Text(page("f")))), ENOSYS);
  }
}

TEST(NameCall, OpenHasAModeOnlyWhereItMakesSomething) {
  EXPECT_EQ(decoded<Open>("open", {kBase, O_RDONLY, 0xffffffffffffffff}, page("f")).mode, 0U);
  EXPECT_EQ(decoded<Open>("open", {kBase, O_WRONLY | O_CREAT, 0xffffffffffffffff}, page("f")).mode, 07777U);
  EXPECT_EQ(decoded<Open>("openat", {3, kBase, O_RDWR | O_TMPFILE, 0600}, page("d")).mode, 0600U);
  EXPECT_EQ(decoded<Open>("openat", {3, kBase, O_DIRECTORY, 0600}, page("d")).mode, 0U);
  EXPECT_EQ(decoded<Open>("open", {kBase, 0xffffffff80000000ULL | O_RDWR, 0}, page("f")).flags, O_RDWR);
  EXPECT_FALSE(decoded<Open>("open", {kBase, O_NOFOLLOW, 0}, page("f")).target.follow);
  EXPECT_EQ(decoded<Open>("creat", {kBase, 0644}, page("f")).flags, O_CREAT | O_WRONLY | O_TRUNC);
}

TEST(NameCall, Openat2) {
  std::string memory = page("f");
  const auto how = [&](kernel::OpenHow given, std::uint64_t size, std::uint8_t after = 0) {
    std::memcpy(memory.data() + 64, &given, sizeof given);
    memory[64 + sizeof given] = static_cast<char>(after);
    return call("openat2", {kHere, kBase, kBase + 64, size}, memory);
  };
  const auto plain = std::get<Open>(std::get<NameCall>(how({O_CREAT | O_WRONLY, 0600, kernel::kResolveNoSymlinks}, 24)));
  EXPECT_EQ(plain.target.resolve, kernel::kResolveNoSymlinks);
  EXPECT_EQ(plain.mode, 0600U);
  EXPECT_EQ(error_of(how({}, 23)), EINVAL);
  EXPECT_EQ(error_of(how({}, 65)), E2BIG);
  EXPECT_EQ(error_of(how({}, 32)), 0);
  EXPECT_EQ(error_of(how({}, 32, 1)), E2BIG);
  EXPECT_EQ(error_of(how({O_PATH, 0, 0}, 24)), ENOSYS);
  EXPECT_EQ(error_of(how({1ULL << 40, 0, 0}, 24)), EINVAL);
  EXPECT_EQ(error_of(how({1ULL << 31, 0, 0}, 24)), EINVAL);
  EXPECT_EQ(error_of(how({O_CREAT, 010000, 0}, 24)), EINVAL);
  EXPECT_EQ(error_of(how({O_RDONLY, 0600, 0}, 24)), EINVAL);
  EXPECT_EQ(error_of(call("openat2", {kHere, kBase, 8, 24}, memory)), EFAULT);
}

TEST(NameCall, TwoPaths) {
  const std::string memory = page(std::string("from\0to", 7));
  const auto rename = decoded<Rename>("renameat2", {3, kBase, 4, kBase + 5, 1}, memory);
  EXPECT_EQ(rename.from.directory, 3);
  EXPECT_EQ(rename.from.path, "from");
  EXPECT_EQ(rename.to.directory, 4);
  EXPECT_EQ(rename.to.path, "to");
  EXPECT_EQ(rename.flags, 1U);
  for (const unsigned flags : {3U, 6U, 8U}) {
    EXPECT_EQ(error_of(call("renameat2", {3, kBase, 4, kBase + 5, flags}, memory)), EINVAL);
  }
  EXPECT_FALSE(decoded<Link>("link", {kBase, kBase + 5}, memory).from.follow);
  EXPECT_TRUE(decoded<Link>("linkat", {3, kBase, 4, kBase + 5, AT_SYMLINK_FOLLOW}, memory).from.follow);
  EXPECT_FALSE(decoded<Link>("linkat", {3, kBase + 4, 4, kBase + 5, AT_EMPTY_PATH}, memory).from.path);
  EXPECT_EQ(error_of(call("linkat", {3, kBase, 4, kBase + 5, 0x40}, memory)), EINVAL);
  const auto link = decoded<MakeSymlink>("symlinkat", {kBase, 3, kBase + 5}, memory);
  EXPECT_EQ(link.content, "from");
  EXPECT_EQ(link.target.path, "to");
  EXPECT_EQ(error_of(call("symlink", {kBase + 4, kBase + 5}, memory)), ENOENT);
  EXPECT_EQ(error_of(call("rename", {kBase, 0}, memory)), EFAULT);
}

TEST(NameCall, OnePath) {
  EXPECT_TRUE(decoded<Remove>("unlinkat", {3, kBase, AT_REMOVEDIR}, page("d")).directory);
  EXPECT_EQ(error_of(call("unlinkat", {3, kBase, 1}, page("d"))), EINVAL);
  EXPECT_TRUE(decoded<Remove>("rmdir", {kBase}, page("d")).directory);
  EXPECT_FALSE(decoded<Remove>("unlink", {kBase}, page("d")).directory);
  EXPECT_EQ(decoded<Truncate>("truncate", {kBase, 7}, page("f")).size, 7);
  EXPECT_EQ(error_of(call("truncate", {kBase, ~0ULL}, page("f"))), EINVAL);
  EXPECT_EQ(decoded<MakeDirectory>("mkdir", {kBase, 0170777}, page("d")).mode, 0777U);
  EXPECT_EQ(decoded<MakeNode>("mknod", {kBase, S_IFIFO | 0600, 7}, page("p")).mode, S_IFIFO | 0600U);
  for (const char* name : {"mkdir", "rmdir", "unlink", "truncate", "mknod", "open", "creat"}) {
    EXPECT_EQ(error_of(call(name, {kBase, 0}, page(""))), ENOENT) << name;
    EXPECT_EQ(error_of(call(name, {kBase, 0}, std::string(2 * PATH_MAX, 'x'))), ENAMETOOLONG) << name;
  }
}

}  // namespace
}  // namespace nono::supervise
