// Plan: everything the kernel will be told about one sandbox, as an immutable value.
//
// `make_plan` is pure: it reads its arguments and nothing else, so it runs in a unit test for any
// kernel. Enforcement (launch/), explanations (plan/explain.h), --dry-run and the record
// (plan/record.h) all read the same Plan; nothing else decides what is allowed.
// Descriptors in it are shared with the CapabilitySet it was made from.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "capability/capability_set.h"
#include "kernel/host_facts.h"
#include "plan/landlock_rules.h"
#include "plan/seccomp_rules.h"

namespace nono::plan {

// How far the cage goes. kAuto is kProcess wherever the kernel can hold the tree that way.
enum class Isolation {
  kAuto,
  kProcess,     // Landlock, seccomp, whole-tree kill
  kNamespaces,  // and PID and mount namespaces: read-only root, own /proc
  kStrict,      // and nothing in the mount namespace but the grants
};

// Who is to be confined: a command to be started, or the calling process itself.
enum class Subject { kCommand, kThisProcess };

// Limits asked for. 0 is not a limit; absent is.
struct Limits {
  std::optional<std::uint64_t> memory_bytes;     // address space of each process
  std::optional<std::uint64_t> processes;        // processes and threads of the real uid
  std::optional<std::uint64_t> cpu_seconds;      // CPU time of each process
  std::optional<std::uint64_t> file_size_bytes;  // size of each file written; 0 = no writes
  std::optional<std::uint64_t> open_files;       // descriptors of each process
};

// What a caller asks for besides its capabilities.
struct Options {
  Subject subject = Subject::kCommand;
  Isolation isolation = Isolation::kAuto;
  Limits limits;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::vector<std::pair<std::string, std::string>> environment;  // exactly this, in this order
  std::vector<int> keep_descriptors;                             // by number, above 2
};

struct Rlimit {
  int resource = 0;  // RLIMIT_*
  std::uint64_t value = 0;
};

struct Identity {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

enum class TreeKill { kSignalScope, kPidNamespace, kNone };  // kNone: kThisProcess

// The mount view: the whole root read-only, these directories writable where they are. What is denied
// inside a grant is covered by something that cannot be opened, and the directories that lead there from
// a writable one are mounts of their own, so that nobody inside can give their names to others.
// With kStrict the root is an empty one that the grants, and links that lead to them, are put into.
struct View {
  bool user_namespace = false;
  bool only_grants = false;
  std::vector<LandlockPathRule> read_only;  // with only_grants; the root is, otherwise
  std::vector<capability::Link> links;      // with only_grants
  std::vector<LandlockPathRule> writable;
  std::vector<LandlockPathRule> in_proc;  // grants below /proc, made anew in the fresh one
  std::vector<std::string> pinned;        // those directories, outermost first
  std::vector<std::string> covered;       // what is denied
};

struct Plan {
  kernel::HostFacts facts;
  LandlockRules landlock;
  SeccompRules seccomp_rules;
  SeccompProgram seccomp_program;
  TreeKill tree_kill = TreeKill::kSignalScope;
  std::optional<View> view;
  std::vector<Rlimit> rlimits;
  std::optional<Identity> become;       // uid and gid to change to
  std::uint64_t kept_capabilities = 0;  // of a root caller; everything else is dropped
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<int> keep_descriptors;
  capability::GrantList grants;
  capability::DenialList denials;
  std::vector<capability::UnixSocketCapability> unix_sockets;
};

[[nodiscard]] inline const char* isolation_name(const Plan& plan) {
  return !plan.view ? "process" : plan.view->only_grants ? "strict" : "namespaces";
}

// Does the answer depend on whether a mount view is possible, which takes a trial to know?
[[nodiscard]] bool asks_for_view(const capability::CapabilitySet& capabilities,
                                 const kernel::HostFacts& facts, const Options& options);

// Errors: kSandboxInit (this kernel or this caller cannot enforce what was asked; the message
// names it), kInvalidArgument.
[[nodiscard]] Result<Plan> make_plan(const capability::CapabilitySet& capabilities,
                                     const kernel::HostFacts& facts, const Options& options = {});

}  // namespace nono::plan
