#include <gtest/gtest.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "kernel/uapi.h"
#include "plan/boundaries.h"
#include "plan/bpf_evaluator.h"
#include "plan/plan.h"
#include "plan/record.h"

namespace nono::plan {
namespace {

using capability::AccessMode;
using capability::CapabilitySet;
using kernel::Arch;
using kernel::HostFacts;

HostFacts facts(int abi, bool view = false, Arch arch = Arch::kX86_64) {
  HostFacts host;
  host.arch = arch;
  host.landlock_abi = abi;
  host.landlock_error = abi == 0 ? ENOSYS : 0;
  host.seccomp_filter = true;
  host.private_view = view;
  host.view_needs_user_namespace = view;
  host.private_view_error = view ? "" : "clone: Operation not permitted (os error 1)";
  host.uid = 1000;
  return host;
}

CapabilitySet grants() {
  CapabilitySet set;
  EXPECT_TRUE(set.allow_path("/usr", AccessMode::kRead));
  EXPECT_TRUE(set.allow_path("/tmp", AccessMode::kReadWrite));
  EXPECT_TRUE(set.allow_file("/dev/null", AccessMode::kReadWrite));
  set.block_network();
  return set;
}

std::string refusal(const CapabilitySet& set, const HostFacts& host, const Options& options = {}) {
  const auto plan = make_plan(set, host, options);
  return plan ? "no refusal" : plan.error().message;
}

const Boundary* boundary(const std::vector<Boundary>& all, std::string_view name) {
  for (const auto& one : all) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

// Every ABI, with and without namespaces, on both architectures.
class EveryHost : public ::testing::TestWithParam<std::tuple<int, bool, Arch>> {
 protected:
  HostFacts host() const {
    return facts(std::get<0>(GetParam()), std::get<1>(GetParam()), std::get<2>(GetParam()));
  }
};
INSTANTIATE_TEST_SUITE_P(Hosts, EveryHost,
                         ::testing::Combine(::testing::Range(0, 11), ::testing::Bool(),
                                            ::testing::Values(Arch::kX86_64, Arch::kAarch64)));

TEST_P(EveryHost, IsPlannedForOrRefusedByName) {
  const auto plan = make_plan(grants(), host());
  const int abi = host().landlock_abi;
  if (abi == 0) {
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().message,
              "Sandbox initialization failed: No supported Landlock ABI detected (last error: ABI V1: "
              "Function not implemented (os error 38))");
    return;
  }
  if (abi < 6 && !host().private_view) {
    ASSERT_FALSE(plan);
    EXPECT_NE(plan.error().message.find("nothing here can hold the process tree"), std::string::npos);
    return;
  }
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->tree_kill, abi >= 6 ? TreeKill::kSignalScope : TreeKill::kPidNamespace);
  EXPECT_EQ(plan->landlock.handled_fs, fs_rights(abi));
  EXPECT_EQ(plan->landlock.handled_net, net_rights(abi));
  EXPECT_EQ(plan->landlock.scoped, scopes(abi));
  const auto below = host().user_notification ? UnixSockets::kAsked : UnixSockets::kNone;
  EXPECT_EQ(plan->seccomp_rules.unix_sockets, abi >= 9 ? UnixSockets::kKernel : below);
  EXPECT_EQ(plan->seccomp_rules.truncate, abi >= 3);
  for (const auto& rule : plan->landlock.paths) EXPECT_EQ(rule.access & ~fs_rights(abi), 0U) << rule.path;
}

TEST_P(EveryHost, BlocksUdpAndItsKinOnEveryOneThatIsPlanned) {
  const auto plan = make_plan(grants(), host());
  if (!plan) return;  // refused, which the test above checks
  const bool x86 = host().arch == Arch::kX86_64;
  const auto socket = [&](std::uint64_t family, std::uint64_t type, std::uint64_t protocol) {
    return evaluate_bpf(*plan->seccomp_program,
                        {x86 ? 41U : 198U, x86 ? 0xc000003e : 0xc00000b7, {family, type, protocol}});
  };
  EXPECT_EQ(socket(2, 2, 0), 0x00050001U);
  EXPECT_EQ(socket(2, 1, 262), 0x00050001U);
  EXPECT_EQ(socket(10, 1, 0), 0x00050001U);
  EXPECT_EQ(socket(40, 1, 0), 0x00050001U);
}

TEST_P(EveryHost, NamespacesAreTakenWhenAskedForOrRefused) {
  Options options;
  options.isolation = Isolation::kNamespaces;
  const auto plan = make_plan(grants(), host(), options);
  if (host().landlock_abi == 0 || !host().private_view) {
    ASSERT_FALSE(plan);
    return;
  }
  ASSERT_TRUE(plan);
  ASSERT_TRUE(plan->view);
  ASSERT_EQ(plan->view->writable.size(), 2U);
  EXPECT_EQ(plan->view->writable[0].path, "/tmp");
}

TEST_P(EveryHost, StrictIsNamespacesWithTheGrantsOnly) {
  Options options;
  options.isolation = Isolation::kStrict;
  auto here = host();
  here.root_links = std::make_shared<const std::vector<kernel::RootLink>>(
      std::vector<kernel::RootLink>{{"/elsewhere", "srv", "/srv"}, {"/temporary", "tmp", "/tmp"}});
  const auto plan = make_plan(grants(), here, options);
  if (here.landlock_abi == 0 || !here.private_view) {
    ASSERT_FALSE(plan);
    return;
  }
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->tree_kill, TreeKill::kPidNamespace);
  EXPECT_TRUE(plan->view->only_grants);
  EXPECT_EQ(plan->view->writable.size() + plan->view->read_only.size() + plan->view->in_proc.size(), grants().fs().size());
  EXPECT_EQ(plan->view->links, (std::vector<capability::Link>{{"/temporary", "tmp"}}));
  EXPECT_EQ(boundary(boundaries_of(*plan), "file status outside grants")->enforced_by, "mount namespace");
  EXPECT_EQ(nlohmann::json::parse(record_json(*plan))["isolation"], "strict");
  options.isolation = Isolation::kNamespaces;
  const auto namespaces = make_plan(grants(), here, options);
  EXPECT_EQ(*namespaces->seccomp_program, *plan->seccomp_program);
  EXPECT_EQ(boundary(boundaries_of(*namespaces), "file status outside grants")->enforced_by, "nothing");
}

TEST(Strict, IsRefusedWhereItHidesNothing) {
  Options options;
  options.isolation = Isolation::kStrict;
  capability::CapabilitySet all;
  ASSERT_TRUE(all.allow_path("/", capability::AccessMode::kRead));
  EXPECT_NE(make_plan(all, facts(7, true), options).error().message.find("and / is granted"), std::string::npos);
  options.subject = Subject::kThisProcess;
  EXPECT_FALSE(make_plan(grants(), facts(7, true), options));
}

TEST(LandlockRights, GrowWithTheAbi) {
  EXPECT_EQ(fs_rights(0), 0U);
  EXPECT_EQ(fs_rights(1), 0x1fffU);
  EXPECT_EQ(fs_rights(2), 0x3fffU);
  EXPECT_EQ(fs_rights(3), 0x7fffU);
  EXPECT_EQ(fs_rights(5), 0xffffU);
  EXPECT_EQ(fs_rights(9), 0x1ffffU);
  EXPECT_EQ(net_rights(3), 0U);
  EXPECT_EQ(net_rights(4), 3U);
  EXPECT_EQ(net_rights(10), 15U);
  EXPECT_EQ(scopes(5), 0U);
  EXPECT_EQ(scopes(6), 3U);
}

TEST(LandlockRights, AFileGrantCarriesFileRightsOnly) {
  const CapabilitySet set = grants();
  EXPECT_EQ(rights_of(set.fs()[0], 7), kernel::kFsExecute | kernel::kFsReadFile | kernel::kFsReadDir);
  EXPECT_EQ(rights_of(set.fs()[2], 7), kernel::kFsExecute | kernel::kFsReadFile | kernel::kFsWriteFile |
                                           kernel::kFsTruncate | kernel::kFsIoctlDev);
  EXPECT_EQ(rights_of(set.fs()[1], 7) & kernel::kFsIoctlDev, 0U);
}

TEST(Network, PortListsNeedAbi4AndNeverFallBack) {
  CapabilitySet set = grants();
  set.allow_tcp_connect_port(443);
  EXPECT_NE(refusal(set, facts(3, true)).find("requires V4+"), std::string::npos);
  const auto plan = make_plan(set, facts(7));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->seccomp_rules.sockets, Sockets::kTcp);
  EXPECT_FALSE(plan->seccomp_rules.listen);
  set.allow_bind_port(8080);
  EXPECT_TRUE(make_plan(set, facts(7))->seccomp_rules.listen);
}

TEST(Network, WhereUnixSocketsMayListenTcpMayNot) {
  CapabilitySet set = grants();
  EXPECT_TRUE(make_plan(set, facts(9))->seccomp_rules.listen);
  set.allow_tcp_connect_port(443);
  EXPECT_FALSE(make_plan(set, facts(9))->seccomp_rules.listen);
}

TEST(Network, PortListsRestrictWithoutBlockNetwork) {
  CapabilitySet set;
  set.allow_bind_port(8080);
  const auto plan = make_plan(set, facts(7));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->landlock.handled_net, 3U);
  EXPECT_EQ(plan->seccomp_rules.sockets, Sockets::kTcp);
}

TEST(Network, LocalhostPortsAloneChangeNothingAndWithABlockAreRefused) {
  CapabilitySet open;
  open.allow_localhost_port(5000);
  const auto plan = make_plan(open, facts(7));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->landlock.handled_net, 0U);
  CapabilitySet blocked = grants();
  blocked.allow_localhost_port(5000);
  EXPECT_NE(refusal(blocked, facts(7)).find("allow_localhost_port(5000)"), std::string::npos);
  CapabilitySet zero = grants();
  zero.allow_localhost_port(0);
  EXPECT_NE(refusal(zero, facts(7)).find("open_port 0"), std::string::npos);
}

TEST(Privileges, RootKeepsFileOwnershipAtMost) {
  HostFacts root = facts(7);
  root.uid = 0;
  root.capabilities = 0x1ffffffffffULL;
  EXPECT_EQ(make_plan(grants(), root)->kept_capabilities, 0x1bU);
  root.capabilities = 0x2;
  EXPECT_EQ(make_plan(grants(), root)->kept_capabilities, 0x2U);
  EXPECT_EQ(make_plan(grants(), facts(7))->kept_capabilities, 0U);
}

TEST(Privileges, GidAloneIsRefusedForRootAndUidImpliesGid) {
  HostFacts root = facts(7);
  root.uid = 0;
  root.capabilities = 0x1ffffffffffULL;
  Options options;
  options.gid = 1000;
  EXPECT_NE(refusal(grants(), root, options).find("gid without uid"), std::string::npos);
  options.gid.reset();
  options.uid = 1000;
  const auto plan = make_plan(grants(), root, options);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->become->gid, 1000U);
  EXPECT_EQ(plan->kept_capabilities, 0U);
  root.capabilities &= ~(1ULL << 5);
  EXPECT_NE(refusal(grants(), root, options).find("CAP_KILL"), std::string::npos);
}

TEST(Limits, BecomeRlimitsAndCoresAreAlwaysOff) {
  Options options;
  options.limits.memory_bytes = 1000;
  options.limits.file_size_bytes = 0;
  const auto plan = make_plan(grants(), facts(7), options);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->rlimits.size(), 3U);
  EXPECT_EQ(plan->rlimits[0].resource, RLIMIT_CORE);
  EXPECT_EQ(plan->rlimits[0].value, 1U);  // not 0: that does not stop a program in core_pattern
  EXPECT_EQ(plan->rlimits[1].resource, RLIMIT_AS);
  EXPECT_EQ(plan->rlimits[2].value, 0U);
}

TEST(Limits, ProcessesAreRefusedWhereTheyWouldNotBind) {
  HostFacts root = facts(7);
  root.uid = 0;
  Options options;
  options.limits.processes = 5;
  EXPECT_NE(refusal(grants(), root, options).find("max_processes"), std::string::npos);
  EXPECT_TRUE(make_plan(grants(), facts(7), options));
}

TEST(Limits, ThoseOfTheSetHoldToo) {
  CapabilitySet set = grants();
  set.set_resource_limits(capability::ResourceLimits{4096, std::nullopt});
  Options options;
  EXPECT_EQ(make_plan(set, facts(7), options)->rlimits[1].value, 4096U);
  options.limits.memory_bytes = 100;
  EXPECT_EQ(make_plan(set, facts(7), options)->rlimits[1].value, 100U);
  options.limits.memory_bytes = 8192;
  EXPECT_EQ(make_plan(set, facts(7), options)->rlimits[1].value, 4096U);
}

TEST(Grants, ProcOfAnotherProcessIsRefused) {
  CapabilitySet set = grants();
  ASSERT_TRUE(set.allow_path("/proc/self", AccessMode::kRead));
  EXPECT_NE(refusal(set, facts(7)).find("a process outside the sandbox"), std::string::npos);
}

TEST(Record, NamesEveryBoundaryAndNoSecret) {
  Options options;
  options.environment = {{"TOKEN", "hunter2"}};
  const auto plan = make_plan(grants(), facts(7), options);
  const std::string text = record_json(*plan);
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  const auto record = nlohmann::json::parse(text);
  EXPECT_EQ(record["environment"], nlohmann::json::array({"TOKEN"}));
  EXPECT_EQ(record["isolation"], "process");
  EXPECT_EQ(record["grants"].size(), 3U);
  const auto all = boundaries_of(*plan);
  for (const char* name : {"files", "tcp", "udp", "listen", "unix sockets", "process tree",
                           "ptrace, process memory, pidfd_getfd", "namespaces, mounts", "terminal",
                           "descriptors", "privilege gain", "capabilities", "environment", "core dumps"}) {
    EXPECT_NE(boundary(all, name), nullptr) << name;
  }
  EXPECT_EQ(boundary(all, "file metadata outside grants")->enforced_by, "nothing");
}

TEST(Record, BelowAnAbiItSaysWhatStandsIn) {
  const auto all = boundaries_of(*make_plan(grants(), facts(2, true)));
  EXPECT_EQ(boundary(all, "truncate")->enforced_by, "seccomp");
  EXPECT_EQ(boundary(all, "device ioctl")->enforced_by, "nothing");
  EXPECT_EQ(boundary(all, "process tree")->enforced_by, "PID namespace");
  const auto newest = boundaries_of(*make_plan(grants(), facts(10)));
  EXPECT_EQ(boundary(newest, "truncate"), nullptr);
  EXPECT_EQ(boundary(newest, "unix sockets outside")->enforced_by, "landlock");
}

TEST(ThisProcess, NeedsNoHoldOnATree) {
  Options options;
  options.subject = Subject::kThisProcess;
  const auto plan = make_plan(grants(), facts(5), options);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->tree_kill, TreeKill::kNone);
  EXPECT_EQ(boundary(boundaries_of(*plan), "signals to processes outside")->enforced_by, "nothing");
}

}  // namespace
}  // namespace nono::plan
