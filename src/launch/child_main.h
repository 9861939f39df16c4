// What the processes behind one command do in memory shared with the host.
//
// The *keeper* is the command's parent. It never execs and does three things: make the command's
// process, reap, and end the whole tree when the command ends, when it is told to, or when the host
// is gone. It lies in a Landlock domain whose signal scope holds the tree, so that one kill(-1)
// reaches every process of the tree and no other. With namespaces it lies in the private view instead
// and makes an *init* for each command, PID 1 of a new namespace, whose death ends everything in it.
// The keeper carries the seccomp filter, which the command inherits, and serves one command after
// another (launch/keeper.h, docs/decisions/0002-keepers-are-kept.md).
// The *command*'s process is made ahead of its request, and restricts itself ahead with the last
// command's ruleset; then it waits for the request, sets up what is its own, and execs.
//
// All run in the host's memory: system calls only, no libc, no allocation, no lock
// (tests/check_child_main.py reads the object file's symbols). They have descriptor tables of their
// own. The host keeps `KeeperStart` and the stacks alive until the keeper is reaped and no process is in its
// memory, and `Launch` until then or until the keeper has said that it is done with it. An attacker inside the sandbox can reach none
// of them: it is in a narrower Landlock domain and holds no ptrace, pidfd_getfd or capability.
#pragma once

#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kernel/private_view.h"

namespace nono::launch {

enum class Step : int {
  kNone,
  kHostGone,
  kKeeper,       // the keeper's own descriptors and session
  kView,         // `detail` names the step inside
  kNoNewPrivs,
  kScope,        // the keeper's Landlock domain
  kScopeProof,   // the domain does not hold signals back: kill(-1) would not be safe
  kClone,
  kStdio,
  kDescriptors,
  kDirectory,
  kLimit,        // `index` of the rlimit
  kGroups,
  kGid,
  kUid,
  kCapabilities,
  kLandlock,
  kSeccomp,
  kExec,
};

struct Failure {
  std::atomic<Step> step{Step::kNone};
  int error = 0;  // errno
  std::size_t index = 0;
  const char* detail = nullptr;
};

struct RlimitPair {
  int resource = 0;
  std::uint64_t value = 0;
};

// Layout of the kernel's struct sock_fprog.
struct SeccompInstall {
  unsigned short length = 0;
  const void* instructions = nullptr;
};

// The descriptors that come with a request, in this order; kept ones follow.
enum Passed : std::size_t { kStdin, kStdout, kStderr, kDirectory, kFirstKept };
inline constexpr std::size_t kMaxKept = 32;

// One command. Constant while the keeper has it, but for the output.
struct Launch {
  const char* program = nullptr;
  char* const* argv = nullptr;
  char* const* environment = nullptr;
  const int* kept_numbers = nullptr;  // where the kept descriptors must be in the command
  std::size_t kept_count = 0;
  kernel::ViewEntry directory_in_view;  // with a view: the directory by name
  bool null_input = false;  // stdin is /dev/null; what was passed in its place is not used
  const RlimitPair* limits = nullptr;
  std::size_t limit_count = 0;
  bool drop_capabilities = false;  // anything to drop at all
  std::uint64_t kept_capabilities = 0;
  bool change_identity = false;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  kernel::FreshProcSetup proc;  // with KeeperStart::fresh_proc

  // The command waits here before its exec: what the host has to check it checks meanwhile.
  enum Gate : std::uint32_t { kShut, kOpen, kAbandon };
  std::atomic<std::uint32_t> gate{kShut};

  std::atomic<bool> cancel{false};  // the host asks, and then sends kWakeSignal

  // --- output ---
  std::atomic<bool> received{false};  // by the command's process, which now waits at the gate or will
  std::atomic<bool> finished{false};  // `exit_*` and `usage` are valid
  int exit_code_kind = 0;              // CLD_EXITED, CLD_KILLED, CLD_DUMPED
  int exit_status = 0;                 // exit code or signal
  struct rusage usage {};
  Failure failure;

  // --- between keeper and command ---
  int descriptors[kFirstKept + kMaxKept] = {};
};

// One keeper, from its clone to its end.
struct KeeperStart {
  // Messages of one pointer come here. A Launch* with its descriptors is a request: one byte goes back
  // when it is done. Before the first one, and to change it: nullptr, for a waiting process that is not
  // restricted; then nullptr with a ruleset, by which that one and all later ones restrict themselves.
  int socket = -1;
  bool private_view = false;
  kernel::PrivateViewSetup view;
  bool fresh_proc = false;  // a /proc, and a ruleset, of each command's own: nothing is made ahead
  SeccompInstall seccomp;
  int host_pid = 0;
  bool once = false;  // serves one command
  bool sends_listener = false;  // the filter's, in a message to the host when it is installed
  bool asks_to_send = false;    // that filter asks about sendmsg
  void* command_stack = nullptr;  // its top
  void* init_stack = nullptr;
  std::atomic<Launch*> current{nullptr};  // the request that the command's process has received
  // The keeper has a ruleset, and the waiting process is restricted by it. Constant while no command
  // runs.
  std::atomic<bool> has_ruleset{false};
  std::atomic<bool> view_made{false};
  Failure failure;  // of the keeper itself, or of a waiting process: it has ended

  // Not 0 while that process uses this memory: the kernel sets it at the clone, and clears it at its
  // exec or end. Whoever killed the keeper has not necessarily waited for the others.
  std::atomic<int> init_in_memory{0};
  std::atomic<int> command_in_memory{0};

  // --- between whoever installs the filter and its messenger ---
  static constexpr int kNotYet = -2;
  std::atomic<int> listener{kNotYet};  // its number, then what became of it; negative: a failure

  // --- between keeper, init and command ---
  int keeper_pid = 0;
  int init_pid = 0;     // 0: none
  int command_pid = 0;  // to the process that waits for it: the keeper, or the init
  bool command_ended = false;
  bool renew = false;  // the waiting process was told to make room for another
};

inline constexpr int kWakeSignal = SIGUSR1;

// Size and alignment of a stack. The keeper's signal handler finds its KeeperStart in the stack's
// lowest word: thread-local storage is the host thread's, and all keepers share one memory.
inline constexpr std::size_t kStackSize = 32 * 1024;

// Entry point of the keeper: `argument` is a KeeperStart*. Never returns.
void keeper_main(void* argument);

}  // namespace nono::launch
