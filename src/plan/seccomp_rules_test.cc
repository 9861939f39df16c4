#include "plan/seccomp_rules.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "plan/bpf_evaluator.h"

namespace nono::plan {
namespace {

using kernel::Arch;

constexpr std::uint32_t kAllowed = 0x7fff0000;
constexpr std::uint32_t kEperm = 0x00050001;
constexpr std::uint32_t kEacces = 0x0005000d;
constexpr std::uint32_t kEnosys = 0x00050026;

int number(std::string_view name, Arch arch) {
  for (const auto& call : syscall_table()) {
    if (call.name == name) return arch == Arch::kX86_64 ? call.x86_64 : call.aarch64;
  }
  ADD_FAILURE() << name << " is not in the table";
  return -1;
}

class Filter {
 public:
  explicit Filter(const SeccompRules& rules) : rules_(rules), program_(compile_seccomp(rules).value()) {}
  std::uint32_t operator()(std::string_view name, std::array<std::uint64_t, 6> args = {}) const {
    return by_number(static_cast<std::uint32_t>(number(name, rules_.arch)), args);
  }
  std::uint32_t by_number(std::uint32_t nr, std::array<std::uint64_t, 6> args = {}) const {
    return evaluate_bpf(*program_, {nr, rules_.arch == Arch::kX86_64 ? 0xc000003e : 0xc00000b7, args});
  }
  std::uint32_t foreign(std::uint32_t nr, std::uint32_t arch) const {
    return evaluate_bpf(*program_, {nr, arch, {}});
  }

 private:
  SeccompRules rules_;
  SeccompProgram program_;
};

SeccompRules with(Sockets sockets, Arch arch = Arch::kX86_64) {
  SeccompRules rules;
  rules.arch = arch;
  rules.sockets = sockets;
  return rules;
}

class EveryArch : public ::testing::TestWithParam<Arch> {};
INSTANTIATE_TEST_SUITE_P(Seccomp, EveryArch, ::testing::Values(Arch::kX86_64, Arch::kAarch64));

TEST_P(EveryArch, EveryCallOfTheTableGetsItsVerdict) {
  const Filter filter(with(Sockets::kNone, GetParam()));
  for (const auto& call : syscall_table()) {
    if ((GetParam() == Arch::kX86_64 ? call.x86_64 : call.aarch64) < 0) continue;
    switch (call.verdict) {
      case Verdict::kAllow: EXPECT_EQ(filter(call.name), kAllowed) << call.name; break;
      case Verdict::kDeny: EXPECT_EQ(filter(call.name), kEperm) << call.name; break;
      case Verdict::kAbsent: EXPECT_EQ(filter(call.name), kEnosys) << call.name; break;
      default: break;
    }
  }
}

TEST_P(EveryArch, NumbersOutsideTheTableDoNotExist) {
  const Filter filter(with(Sockets::kInternet, GetParam()));
  std::set<int> known;
  for (const auto& call : syscall_table()) {
    known.insert(GetParam() == Arch::kX86_64 ? call.x86_64 : call.aarch64);
  }
  for (int nr = 0; nr < 1024; ++nr) {
    if (!known.contains(nr)) { EXPECT_EQ(filter.by_number(static_cast<std::uint32_t>(nr)), kEnosys) << nr; }
  }
  EXPECT_EQ(filter.by_number(0xffffffff), kEnosys);
}

TEST_P(EveryArch, ForeignArchitecturesDoNotExist) {
  const Filter filter(with(Sockets::kNone, GetParam()));
  for (const std::uint32_t arch : {0x40000003U, 0x40000028U, 0U, 0xc00000f3U}) {
    for (const std::uint32_t nr : {1U, 11U, 102U, 359U}) EXPECT_EQ(filter.foreign(nr, arch), kEnosys);
  }
}

TEST(Seccomp, X32NumbersDoNotExist) {
  const Filter filter(with(Sockets::kInternet));
  for (const auto& call : syscall_table()) {
    if (call.x86_64 < 0) continue;
    EXPECT_EQ(filter.by_number(static_cast<std::uint32_t>(call.x86_64) | 0x40000000U), kEnosys) << call.name;
  }
}

TEST_P(EveryArch, Clone3DoesNotExistAndCloneMakesNoNamespace) {
  const Filter filter(with(Sockets::kNone, GetParam()));
  EXPECT_EQ(filter("clone3"), kEnosys);
  EXPECT_EQ(filter("clone", {0x3d0f00}), kAllowed);  // pthread_create
  EXPECT_EQ(filter("clone", {17}), kAllowed);        // fork
  for (const std::uint64_t flag : {0x10000000ULL, 0x00020000ULL, 0x20000000ULL, 0x40000000ULL,
                                   0x08000000ULL, 0x04000000ULL, 0x02000000ULL}) {
    EXPECT_EQ(filter("clone", {flag | 17}), kEperm) << flag;
    EXPECT_EQ(filter("unshare", {flag}), kEperm) << flag;
  }
  SeccompRules rules = with(Sockets::kNone, GetParam());
  rules.private_pids = true;
  EXPECT_EQ(Filter(rules)("clone", {0x20000000 | 17}), kAllowed) << "the keeper's";
  EXPECT_EQ(Filter(rules)("clone", {0x30000000 | 17}), kEperm);
  EXPECT_EQ(Filter(rules)("unshare", {0x20000000}), kEperm);
  EXPECT_EQ(filter("unshare", {0x80}), kEperm);
  EXPECT_EQ(filter("unshare", {0x400}), kAllowed);  // CLONE_FILES
}

TEST_P(EveryArch, BlockedNetworkMakesNoSocketButPairs) {
  const Filter filter(with(Sockets::kNone, GetParam()));
  for (std::uint64_t family = 0; family < 46; ++family) {
    EXPECT_EQ(filter("socket", {family, 1, 0}), kEperm) << family;
    EXPECT_EQ(filter("socket", {family, 2, 0}), kEperm) << family;
  }
  EXPECT_EQ(filter("socketpair", {1, 1 | 02000000, 0}), kAllowed);
  EXPECT_EQ(filter("socketpair", {1, 5, 0}), kAllowed);
  EXPECT_EQ(filter("socketpair", {1, 2, 0}), kEperm);
  EXPECT_EQ(filter("socketpair", {30, 1, 0}), kEperm);
  EXPECT_EQ(filter("listen"), kEperm);
}

TEST_P(EveryArch, PortListsMakeTcpSocketsOnly) {
  const Filter filter(with(Sockets::kTcp, GetParam()));
  for (const std::uint64_t family : {2ULL, 10ULL}) {
    EXPECT_EQ(filter("socket", {family, 1, 0}), kAllowed);
    EXPECT_EQ(filter("socket", {family, 1 | 04000 | 02000000, 6}), kAllowed);
    EXPECT_EQ(filter("socket", {family, 1, 262}), kEperm) << "MPTCP";
    EXPECT_EQ(filter("socket", {family, 1, 132}), kEperm) << "SCTP";
    EXPECT_EQ(filter("socket", {family, 2, 0}), kEperm) << "UDP";
    EXPECT_EQ(filter("socket", {family, 3, 1}), kEperm) << "raw";
    // The kernel reads an int: bits above 32 must not hide the real value.
    EXPECT_EQ(filter("socket", {family, 1, 262 | (1ULL << 32)}), kEperm);
  }
  for (const std::uint64_t family : {0ULL, 1ULL, 16ULL, 17ULL, 38ULL, 40ULL, 44ULL}) {
    EXPECT_EQ(filter("socket", {family, 1, 0}), kEperm) << family;
  }
}

TEST_P(EveryArch, FastOpenIsRefusedOnEverySend) {
  const Filter filter(with(Sockets::kTcp, GetParam()));
  const std::uint64_t fast = 0x20000000;
  EXPECT_EQ(filter("sendto", {3, 0, 0, fast}), kEperm);
  EXPECT_EQ(filter("sendmsg", {3, 0, fast}), kEperm);
  EXPECT_EQ(filter("sendmmsg", {3, 0, 1, fast | 0x4000}), kEperm);
  EXPECT_EQ(filter("sendto", {3, 0, 0, 0x4000}), kAllowed);
  EXPECT_EQ(filter("sendmsg", {3, 0, 0}), kAllowed);
}

TEST_P(EveryArch, ListenNeedsABindGrant) {
  SeccompRules rules = with(Sockets::kTcp, GetParam());
  EXPECT_EQ(Filter(rules)("listen"), kEperm);
  rules.listen = true;
  EXPECT_EQ(Filter(rules)("listen"), kAllowed);
}

TEST_P(EveryArch, OpenNetworkStillMakesNoExoticSocket) {
  const Filter filter(with(Sockets::kInternet, GetParam()));
  EXPECT_EQ(filter("socket", {2, 1, 0}), kAllowed);
  EXPECT_EQ(filter("socket", {10, 2 | 02000000, 17}), kAllowed);
  EXPECT_EQ(filter("socket", {16, 3, 0}), kAllowed) << "NETLINK_ROUTE";
  EXPECT_EQ(filter("socket", {16, 3, 12}), kEperm) << "NETLINK_NETFILTER";
  EXPECT_EQ(filter("socket", {1, 1, 0}), kEperm) << "AF_UNIX";
  EXPECT_EQ(filter("socket", {17, 3, 0}), kEperm) << "AF_PACKET";
  EXPECT_EQ(filter("socket", {2, 3, 1}), kEperm) << "raw";
  EXPECT_EQ(filter("socket", {2, 2, 0}), kAllowed) << "UDP";
  EXPECT_EQ(filter("socket", {2, 2, 1}), kAllowed) << "ping";
  EXPECT_EQ(filter("socket", {10, 2, 58}), kAllowed) << "ping";
  EXPECT_EQ(filter("socket", {2, 2, 136}), kEperm) << "UDP-Lite";
  EXPECT_EQ(filter("socket", {2, 2, 115}), kEperm) << "L2TP";
  EXPECT_EQ(filter("socket", {38, 5, 0}), kEperm) << "AF_ALG";
}

TEST_P(EveryArch, TerminalInjectionIsComparedInTheLowHalf) {
  const Filter filter(with(Sockets::kNone, GetParam()));
  EXPECT_EQ(filter("ioctl", {0, 0x5412}), kEperm);
  EXPECT_EQ(filter("ioctl", {0, 0x5412 | (1ULL << 32)}), kEperm);
  EXPECT_EQ(filter("ioctl", {0, 0x541c}), kEperm);
  EXPECT_EQ(filter("ioctl", {0, 0x5401}), kAllowed);
}

TEST_P(EveryArch, PidArgumentsNameOnlyTheCaller) {
  SeccompRules rules = with(Sockets::kNone, GetParam());
  const Filter filter(rules);
  for (const auto* call : {"prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setattr"}) {
    EXPECT_EQ(filter(call, {0}), kAllowed) << call;
    EXPECT_EQ(filter(call, {1234}), kEperm) << call;
  }
  EXPECT_EQ(filter("setpriority", {0, 0, 5}), kAllowed);
  EXPECT_EQ(filter("setpriority", {0, 77, 5}), kEperm);
  EXPECT_EQ(filter("setpriority", {2, 0, 5}), kEperm);
  EXPECT_EQ(filter("ioprio_set", {1, 0}), kAllowed);
  EXPECT_EQ(filter("ioprio_set", {1, 9}), kEperm);
  rules.private_pids = true;
  EXPECT_EQ(Filter(rules)("prlimit64", {1234}), kAllowed);
}

TEST_P(EveryArch, PersonalityAndNestedListenersAndWatches) {
  const Filter filter(with(Sockets::kNone, GetParam()));
  EXPECT_EQ(filter("personality", {0}), kAllowed);
  EXPECT_EQ(filter("personality", {0xffffffff}), kAllowed);
  EXPECT_EQ(filter("personality", {0x0400000}), kEperm);
  EXPECT_EQ(filter("seccomp", {1, 0}), kAllowed);
  EXPECT_EQ(filter("seccomp", {1, 8}), kEperm);
  EXPECT_EQ(filter("inotify_add_watch"), kEacces);
}

TEST(Seccomp, BelowAbi3TruncationIsStoodInFor) {
  SeccompRules rules = with(Sockets::kNone);
  rules.truncate = false;
  const Filter filter(rules);
  EXPECT_EQ(filter("truncate"), kEperm);
  EXPECT_EQ(filter("openat2"), kEnosys);
  EXPECT_EQ(filter("open", {0, 01000}), kEacces);
  EXPECT_EQ(filter("open", {0, 01001}), kAllowed);
  EXPECT_EQ(filter("openat", {0, 0, 01000}), kEacces);
  EXPECT_EQ(filter("openat", {0, 0, 0}), kAllowed);
}

TEST(SyscallTable, HasEachNumberOnceAndKnownOnes) {
  std::map<int, std::string_view> x86;
  std::map<int, std::string_view> arm;
  for (const auto& call : syscall_table()) {
    if (call.x86_64 >= 0) { EXPECT_TRUE(x86.emplace(call.x86_64, call.name).second) << call.name; }
    if (call.aarch64 >= 0) { EXPECT_TRUE(arm.emplace(call.aarch64, call.name).second) << call.name; }
  }
  EXPECT_EQ(number("openat", Arch::kX86_64), 257);
  EXPECT_EQ(number("openat", Arch::kAarch64), 56);
  EXPECT_EQ(number("execve", Arch::kAarch64), 221);
  EXPECT_EQ(number("socket", Arch::kAarch64), 198);
  EXPECT_EQ(number("ptrace", Arch::kAarch64), 117);
  EXPECT_EQ(number("landlock_restrict_self", Arch::kX86_64), 446);
}

}  // namespace
}  // namespace nono::plan
