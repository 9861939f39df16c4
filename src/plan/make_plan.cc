#include <sys/resource.h>

#include <algorithm>

#include "base/text.h"
#include "kernel/uapi.h"
#include "plan/denials.h"
#include "plan/plan.h"

namespace nono::plan {
namespace {

constexpr unsigned kCapChown = 0;
constexpr unsigned kCapDacOverride = 1;
constexpr unsigned kCapFowner = 3;
constexpr unsigned kCapFsetid = 4;
constexpr unsigned kCapKill = 5;
constexpr unsigned kCapSetgid = 6;
constexpr unsigned kCapSetuid = 7;

constexpr std::uint64_t bit(unsigned capability) { return 1ULL << capability; }
// What lets a root caller's tools (tar, cp -p) work on files of any owner; Landlock still decides
// which files.
constexpr std::uint64_t kFileOwnership =
    bit(kCapChown) | bit(kCapDacOverride) | bit(kCapFowner) | bit(kCapFsetid);

tl::unexpected<Error> refuse(std::string what, std::string hint = {}) {
  return fail(ErrorKind::kSandboxInit, cat("Sandbox initialization failed: ", what), std::move(hint));
}

Status check_kernel(const kernel::HostFacts& facts) {
  if (facts.landlock_abi < 1) {
    return refuse(cat("No supported Landlock ABI detected (last error: ABI V1: ",
                      os_error(facts.landlock_error), ")"),
                  "Linux 5.13 or later with Landlock enabled is needed; add landlock to the lsm= "
                  "boot parameter, and allow the landlock system calls in an outer seccomp profile.");
  }
  if (!facts.seccomp_filter) {
    return refuse("this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)",
                  "Without them Landlock leaves UDP, MPTCP and many other ways out open.");
  }
  return {};
}

Status check_network(const capability::CapabilitySet& set, int abi) {
  const bool has_ports = !set.connect_ports().empty() || !set.bind_ports().empty();
  const bool has_localhost = set.is_network_blocked() && !set.localhost_ports().empty();
  if (has_localhost && std::ranges::count(set.localhost_ports(), 0) != 0) {
    return refuse("open_port 0 (localhost TCP wildcard) is macOS-only; on Linux use explicit ports "
                  "or a network profile.");
  }
  if ((has_ports || has_localhost) && abi < 4) {
    return refuse("Network filtering requested but kernel Landlock ABI doesn't support it (requires "
                  "V4+). On this kernel, only full --block-net or --proxy-only fallback via seccomp "
                  "is supported.");
  }
  if (has_localhost) {
    return refuse(cat("allow_localhost_port(", set.localhost_ports().front(),
                      ") cannot be held to this machine: Landlock compares ports, not addresses, so "
                      "it would open that port on every host"),
                  "If any host may be reached on it, say so with allow_tcp_connect_port.");
  }
  return {};
}

// /proc/self was resolved when it was granted: to the granting process, not to the command.
Status check_grants(const capability::CapabilitySet& set) {
  for (const auto& grant : set.fs()) {
    const std::string& path = grant.resolved;
    if (path.starts_with("/proc/") && path.size() > 6 && path[6] >= '0' && path[6] <= '9') {
      return refuse(cat("the grant ", escape(grant.original), " is ", escape(path),
                        ": a process outside the sandbox"),
                    "Grant /proc with isolation=\"namespaces\": it shows the sandbox's own "
                    "processes only.");
    }
  }
  return {};
}

bool asks_for_namespaces(const Options& options) {
  return options.isolation == Isolation::kNamespaces || options.isolation == Isolation::kStrict;
}

Status check_strict(const capability::CapabilitySet& set, const Options& options) {
  if (options.isolation != Isolation::kStrict) return {};
  if (options.subject == Subject::kThisProcess) {
    return refuse("isolation=\"strict\" takes a mount view, which a running process cannot be given");
  }
  if (std::ranges::any_of(set.fs(), [](const auto& grant) { return grant.resolved == "/"; })) {
    return refuse("isolation=\"strict\" hides what is not granted, and / is granted",
                  "Grant less, or use isolation=\"namespaces\".");
  }
  return {};
}

// Why a supervisor is needed, and what would do without.
struct Need {
  std::string what;
  std::string hint;
};

Need need_of(const capability::Denial& denial, const Options& options) {
  const std::string inside = ", which lies inside a grant,";
  if (!denial.protected_by.empty()) {
    return {cat("the protection of ", escape(denial.resolved), " (", denial.protected_by, ")", inside),
            "--unprotect all, or unprotect=[\"all\"] in Python, turns off all that is protected by default."};
  }
  const bool takes_view = !denial.is_pattern() && options.subject == Subject::kCommand;
  return {cat("the denial of ", escape(denial.resolved), inside),
          takes_view ? "Grant paths that leave it out, or let a mount view cover it: it must exist, under one name "
                       "and with no grant inside, and isolation=\"namespaces\" be possible."
                     : "Grant paths that leave it out."};
}

// Names that no view can cover are the supervisor's.
Status check_supervisor(const kernel::HostFacts& facts, const Options& options, const Enforcement& enforcement) {
  if (enforcement.names == Names::kFree) return {};
  const Need need = enforcement.supervised != nullptr
                        ? need_of(*enforcement.supervised, options)
                        : Need{cat("the granted pattern ", escape(enforcement.pattern->name())), "Grant paths instead."};
  const std::string what = cat(need.what, " takes a supervisor");
  if (options.subject == Subject::kThisProcess) return refuse(cat(what, ", which a running process cannot be given"), need.hint);
  if (options.uid || options.gid) return refuse(cat(what, ", and a command with a uid or gid of its own has none"), need.hint);
  if (!facts.user_notification) {
    return refuse(cat(what, ", and this host allows none: a seccomp filter around it, or Yama's ptrace_scope, is in the way"), need.hint);
  }
  return {};
}

Result<TreeKill> choose_tree_kill(const kernel::HostFacts& facts, const Options& options, bool needs_view) {
  if (options.subject == Subject::kThisProcess) return TreeKill::kNone;
  if (needs_view) return TreeKill::kPidNamespace;
  const bool has_scope = (scopes(facts.landlock_abi) & kernel::kScopeSignal) != 0;
  if (!asks_for_namespaces(options) && has_scope) return TreeKill::kSignalScope;
  if (options.isolation != Isolation::kProcess && facts.private_view) return TreeKill::kPidNamespace;
  if (asks_for_namespaces(options)) {
    return refuse(cat("isolation by namespaces is not possible here: ", facts.private_view_error),
                  "Use isolation=\"auto\", or allow user namespaces "
                  "(user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns).");
  }
  return refuse(cat("nothing here can hold the process tree: signal scopes need Landlock ABI 6 "
                    "(Linux 6.12), this kernel has ABI ", facts.landlock_abi,
                    facts.private_view_error.empty()
                        ? std::string{}
                        : cat(", and a PID namespace is not possible: ", facts.private_view_error)),
                "Allow unprivileged user namespaces, or use a newer kernel.");
}

Result<std::optional<Identity>> choose_identity(const kernel::HostFacts& facts, const Options& options) {
  if (!options.uid && !options.gid) return std::optional<Identity>{};
  if (!options.uid && facts.uid == 0) {
    return refuse("gid without uid would leave uid 0, which can take every group back",
                  "Pass uid as well.");
  }
  const std::uint64_t change = bit(kCapSetuid) | bit(kCapSetgid);
  if ((facts.capabilities & change) == change && (facts.capabilities & bit(kCapKill)) == 0) {
    return refuse("changing the uid needs CAP_KILL besides CAP_SETUID and CAP_SETGID, or the "
                  "process tree could not be ended");
  }
  const std::uint32_t uid = options.uid.value_or(facts.uid);
  return std::optional<Identity>{Identity{uid, options.gid.value_or(uid)}};
}

std::vector<Rlimit> rlimits(const Limits& limits) {
  // A core would carry the tree's memory out. 1 is too small for a file, and the one value that keeps it from a program
  // that core_pattern names as well.
  std::vector<Rlimit> list{{RLIMIT_CORE, 1}};
  const auto add = [&](int resource, const std::optional<std::uint64_t>& value) {
    if (value) list.push_back({resource, *value});
  };
  add(RLIMIT_AS, limits.memory_bytes);
  add(RLIMIT_NPROC, limits.processes);
  add(RLIMIT_CPU, limits.cpu_seconds);
  add(RLIMIT_FSIZE, limits.file_size_bytes);
  add(RLIMIT_NOFILE, limits.open_files);
  return list;
}

// What came with the set holds as well: the smaller of the two.
Limits limits_of(const capability::CapabilitySet& set, const Options& options) {
  const auto smaller = [](const std::optional<std::uint64_t>& a, const std::optional<std::uint64_t>& b) {
    return a && b ? std::min(a, b) : a ? a : b;
  };
  Limits limits = options.limits;
  if (const auto& carried = set.resource_limits()) {
    limits.memory_bytes = smaller(limits.memory_bytes, carried->memory_bytes);
    limits.processes = smaller(limits.processes, carried->max_processes);
  }
  return limits;
}

Status check_limits(const kernel::HostFacts& facts, const Options& options, const Limits& limits) {
  if (limits.processes && facts.uid == 0 && !options.uid) {
    return refuse("max_processes does not bind uid 0 (RLIMIT_NPROC exempts it)",
                  "Pass uid as well, so that the command runs as an ordinary user.");
  }
  return {};
}

// Landlock decides from ABI 9 on, but has no rule for what does not exist yet, nor for one directory alone.
UnixSockets unix_sockets(const capability::CapabilitySet& set, const kernel::HostFacts& facts, bool can_ask) {
  if (!set.unix_sockets().empty()) return UnixSockets::kAskedToSend;
  if (facts.landlock_abi >= 9) return UnixSockets::kKernel;
  return can_ask ? UnixSockets::kAsked : UnixSockets::kNone;
}

SeccompRules seccomp_rules(const capability::CapabilitySet& set, const kernel::HostFacts& facts,
                           bool private_pids, bool can_ask) {
  const bool has_ports = !set.connect_ports().empty() || !set.bind_ports().empty();
  SeccompRules rules;
  rules.arch = facts.arch;
  rules.sockets = has_ports                  ? Sockets::kTcp
                  : set.is_network_blocked() ? Sockets::kNone
                                             : Sockets::kInternet;
  rules.unix_sockets = unix_sockets(set, facts, can_ask);
  const bool only_unix = rules.sockets == Sockets::kNone && rules.unix_sockets != UnixSockets::kNone;
  rules.listen = rules.sockets == Sockets::kInternet || !set.bind_ports().empty() || only_unix;
  rules.truncate = facts.landlock_abi >= 3;
  rules.private_pids = private_pids;
  return rules;
}

// What leads to grants: as the caller has written them, and from the root.
std::vector<capability::Link> links_to(const capability::GrantList& grants, const kernel::HostFacts& facts) {
  std::vector<capability::Link> links;
  for (const auto& grant : grants) links.insert(links.end(), grant.links.begin(), grant.links.end());
  if (facts.root_links == nullptr) return links;
  for (const kernel::RootLink& link : *facts.root_links) {
    const auto is_led_to = [&](const capability::FsCapability& grant) {
      return grant.covers(link.leads_to) || capability::is_within_folded(link.leads_to, grant.resolved);
    };
    if (std::ranges::any_of(grants, is_led_to)) links.push_back({link.path, link.target});
  }
  return links;
}

View make_view(const LandlockRules& rules, const kernel::HostFacts& facts, Covers covers, bool only_grants) {
  View view;
  view.only_grants = only_grants;
  view.pinned = std::move(covers.pinned);
  view.covered = std::move(covers.covered);
  view.user_namespace = facts.view_needs_user_namespace;
  for (const auto& rule : rules.paths) {
    if (capability::is_within("/proc", rule.path)) {
      view.in_proc.push_back(rule);
    } else if ((rule.access & kernel::kFsWriteFile) != 0) {
      view.writable.push_back(rule);
    } else if (only_grants) {
      view.read_only.push_back(rule);
    }
  }
  return view;
}

}  // namespace

bool asks_for_view(const capability::CapabilitySet& capabilities, const kernel::HostFacts& facts,
                   const Options& options) {
  if (options.subject == Subject::kThisProcess || options.isolation == Isolation::kProcess) return false;
  const bool holds_trees = (scopes(facts.landlock_abi) & kernel::kScopeSignal) != 0;
  return facts.landlock_abi >= 1 &&
         (asks_for_namespaces(options) || !holds_trees || can_cover(capabilities));
}

Result<Plan> make_plan(const capability::CapabilitySet& capabilities,
                       const kernel::HostFacts& facts, const Options& options) {
  if (const Status kernel_ok = check_kernel(facts); !kernel_ok) return tl::unexpected(kernel_ok.error());
  if (const Status network_ok = check_network(capabilities, facts.landlock_abi); !network_ok) {
    return tl::unexpected(network_ok.error());
  }
  if (const Status grants_ok = check_grants(capabilities); !grants_ok) {
    return tl::unexpected(grants_ok.error());
  }
  const Limits limits = limits_of(capabilities, options);
  if (const Status limits_ok = check_limits(facts, options, limits); !limits_ok) {
    return tl::unexpected(limits_ok.error());
  }
  if (const Status strict_ok = check_strict(capabilities, options); !strict_ok) {
    return tl::unexpected(strict_ok.error());
  }
  // Where no view is possible the supervisor takes its place.
  const bool wants_view = options.isolation != Isolation::kProcess && facts.private_view && can_cover(capabilities);
  Plan plan;
  plan.facts = facts;
  plan.tree_kill = NONO_TRY(choose_tree_kill(facts, options, wants_view));
  const bool namespaces = plan.tree_kill == TreeKill::kPidNamespace;
  Enforcement enforcement = NONO_TRY(enforcement_of(capabilities, namespaces));
  if (const Status ok = check_supervisor(facts, options, enforcement); !ok) return tl::unexpected(ok.error());
  plan.become = NONO_TRY(choose_identity(facts, options));
  plan.landlock = landlock_rules(capabilities, facts.landlock_abi);
  // A supervisor with another uid would make the host undumpable; this process cannot supervise itself.
  const bool can_ask = facts.user_notification && !plan.become && options.subject == Subject::kCommand;
  if (!can_ask && !capabilities.unix_sockets().empty()) {
    return refuse(cat("the grant of the Unix socket ", escape(capabilities.unix_sockets().front().original),
                      " takes a supervisor, which is not possible here"),
                  "It is not with uid= or apply(), nor under a filter that has one already. Leave the grant out.");
  }
  plan.seccomp_rules = seccomp_rules(capabilities, facts, namespaces, can_ask);
  plan.seccomp_rules.ask_for_metadata = can_ask && !namespaces;
  plan.seccomp_rules.names = enforcement.names;
  plan.seccomp_rules.ask_for_metadata |= enforcement.names != Names::kFree;
  plan.seccomp_program = NONO_TRY(compile_seccomp(plan.seccomp_rules));
  const bool strict = options.isolation == Isolation::kStrict;
  if (namespaces) plan.view = make_view(plan.landlock, facts, std::move(enforcement.covers), strict);
  if (strict) plan.view->links = links_to(capabilities.fs(), facts);
  plan.rlimits = rlimits(limits);
  plan.kept_capabilities =
      facts.uid == 0 && !plan.become ? facts.capabilities & kFileOwnership : 0;
  plan.environment = options.environment;
  plan.keep_descriptors = options.keep_descriptors;
  plan.grants = capabilities.fs();
  plan.denials = capabilities.denials();
  plan.unix_sockets = capabilities.unix_sockets();
  return plan;
}

}  // namespace nono::plan
