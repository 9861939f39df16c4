// What the two processes of one command do between clone and exec. Everything they need is prepared
// by the launching thread; everything they find out is written back into `Launch`.
//
// The keeper is cloned first and confines itself while the launching thread prepares the rest, so
// that the two costs overlap; `ready` lets it go on.
//
// The *keeper* is the command's parent. It shares the host's memory and descriptors, never execs,
// and does three things: start the command, reap, and end the whole tree when the command ends,
// when it is told to, or when the host is gone. It lies in a Landlock domain whose signal scope
// holds the tree (or is PID 1 of its namespace), so that one kill(-1) reaches every process of the
// tree and no other. The *command* restricts itself and execs.
//
// Both run with the host's memory: system calls only, no libc, no allocation, no lock
// (tests/check_child_main.py reads the object file's symbols). The host's thread may do anything
// meanwhile but must keep `Launch` and the two stacks alive until the keeper has been reaped.
// An attacker inside the sandbox can reach neither process: it is in a narrower Landlock domain,
// holds no ptrace or pidfd_getfd, and owns no capability over them.
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

struct RlimitPair {
  int resource = 0;
  std::uint64_t value = 0;
};

// Layout of the kernel's struct sock_fprog.
struct SeccompProgram {
  unsigned short length = 0;
  const void* instructions = nullptr;
};

struct Launch {
  // --- input, constant from the clone on ---
  bool private_view = false;
  SeccompProgram seccomp;
  int host_pid = 0;
  bool change_identity = false;
  void* command_stack = nullptr;   // its top

  // --- input, constant once `ready` is kGo ---
  enum Ready : std::uint32_t { kNotYet, kGo, kAbandon };
  std::atomic<std::uint32_t> ready{kNotYet};  // a futex
  std::atomic<bool> waits_for_ready{false};
  const char* program = nullptr;
  char* const* argv = nullptr;
  char* const* environment = nullptr;
  int standard[3] = {-1, -1, -1};  // become 0, 1, 2
  const int* keep = nullptr;       // descriptors that stay open, by number
  std::size_t keep_count = 0;
  int directory = -1;              // O_PATH, used without a view
  kernel::WritableRoot directory_in_view;  // used with one: the same directory by name
  int inner_ruleset = -1;
  std::uint64_t ignored_signals = 0;  // bit n-1: the host ignores signal n
  const RlimitPair* limits = nullptr;
  std::size_t limit_count = 0;
  bool drop_capabilities = false;  // anything to drop at all
  std::uint64_t kept_capabilities = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  kernel::PrivateViewSetup view;
  int host_pidfd = -1;             // only with a private view, where getppid() is 0

  // --- the host asks ---
  std::atomic<bool> cancel{false};  // and then sends kWakeSignal

  // --- output ---
  std::atomic<bool> past_exec{false};  // with change_identity: the command has its own memory
  std::atomic<bool> finished{false};  // `status` and `usage` are valid
  int command_pid = 0;                // in the keeper's PID namespace
  int exit_code_kind = 0;             // CLD_EXITED, CLD_KILLED, CLD_DUMPED
  int exit_status = 0;                // exit code or signal
  struct rusage usage {};
  std::atomic<Step> failed_step{Step::kNone};
  int failed_errno = 0;
  std::size_t failed_index = 0;
  const char* failed_detail = nullptr;
};

inline constexpr int kWakeSignal = SIGUSR1;

// Size and alignment of a stack. The keeper's signal handler finds its Launch in the stack's lowest
// word: thread-local storage is the host thread's, and all keepers share one memory.
inline constexpr std::size_t kStackSize = 32 * 1024;

// Entry point of the keeper: `argument` is a Launch*. Never returns.
void keeper_main(void* argument);

}  // namespace nono::launch
