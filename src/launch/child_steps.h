// What the files that run between clone and exec share: the kernel's own layouts, and how they fail.
// See child_main.h for the rules that hold there.
#pragma once

#include <signal.h>

#include "kernel/raw.h"
#include "launch/child_main.h"

namespace nono::launch {

using kernel::raw::address;
using kernel::raw::call;

// The kernel's own layouts; libc's are larger.
using KernelSigset = unsigned long;
inline constexpr long kSigsetSize = sizeof(KernelSigset);
constexpr KernelSigset mask_of(int signal) { return 1UL << (signal - 1); }
struct KernelSigaction {
  void* handler = nullptr;
  unsigned long flags = 0;
  void* restorer = nullptr;
  KernelSigset mask = 0;
};

// How a handler returns where the kernel wants to be told.
#if defined(__x86_64__)
inline constexpr unsigned long kSaRestorer = 0x04000000;
[[gnu::naked]] inline void restore() { asm volatile("mov $15, %eax\n\tsyscall"); }
#else
inline constexpr unsigned long kSaRestorer = 0;  // the kernel's vDSO has one
inline void restore() {}
#endif

// A keeper's own descriptors; what comes through the socket lands above.
inline constexpr int kSocket = 3;
inline constexpr int kNull = 4;     // /dev/null
inline constexpr int kRuleset = 5;  // /dev/null before the first one has come

[[noreturn]] inline void leave(int code) {
  for (;;) call(SYS_exit_group, code);
}

inline void note(Failure& failure, Step step, long error, std::size_t index = 0, const char* detail = nullptr) {
  failure.error = static_cast<int>(-error);
  failure.index = index;
  failure.detail = detail;
  failure.step.store(step);
}

[[noreturn]] inline void fail(Failure& failure, Step step, long error, std::size_t index = 0,
                       const char* detail = nullptr) {
  note(failure, step, error, index, detail);
  leave(126);
}

inline void check(Failure& failure, Step step, long result) {
  if (result < 0) fail(failure, step, result);
}

inline void mask_signals(KernelSigset blocked) {
  call(SYS_rt_sigprocmask, SIG_SETMASK, address(&blocked), 0, kSigsetSize);
}
inline constexpr KernelSigset kAllSignals = ~KernelSigset{0};
inline constexpr KernelSigset kAllButWake = ~mask_of(kWakeSignal);

// Entry point of the command: `argument` is a KeeperStart*. Never returns.
void command_main(void* argument);

// Both wait for what the host sends, and do not return when that is something else: the host is gone,
// or wants another process. A ruleset is at kRuleset then.
void receive_ruleset(KeeperStart& start);
[[nodiscard]] Launch& receive_request(KeeperStart& start);

}  // namespace nono::launch
