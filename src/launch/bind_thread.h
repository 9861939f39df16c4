// What makes one thread subject to a plan, for apply(): system calls only, because other threads are held
// meanwhile (all_threads.h).
//
// The filter comes first, by the caller and for all threads: the kernel installs it on all or on none, so
// a thread that cannot take it (it has a filter of its own) is found while nothing has been changed. The
// filter lets the rest through.
#pragma once

#include <cstdint>

namespace nono::launch {

struct Binding {
  int ruleset = -1;
  std::uint32_t caller_flags = 0;    // of the caller's landlock_restrict_self
  std::uint64_t kept_capabilities = 0;  // as far as a thread has them
  const void* filter = nullptr;      // struct sock_fprog
  bool may_be_several = true;        // other threads in Landlock domains of their own can still be signalled
  int unlike_thread = 0;             // out: it has a seccomp filter that the caller has not
};

enum class BindStep : int {
  kNone,
  kSeveral,  // `may_be_several` is false
  kNoNewPrivs,
  kSeccomp,
  kLandlock,
  kCapabilities,
  kProof,  // the kernel does not say that the thread is bound
};

// What the steps answer: 0, or below 0 this.
constexpr long bind_failure(BindStep step, long error) { return -(static_cast<long>(step) * 4096 + error); }
constexpr BindStep failed_step(long result) { return static_cast<BindStep>(-result / 4096); }
constexpr int failed_errno(long result) { return static_cast<int>(-result % 4096); }

// `binding` is a Binding*. Steps of ThreadSteps.
[[nodiscard]] long can_bind(void* binding);
[[nodiscard]] long bind_caller(void* binding);
[[nodiscard]] long bind_other(void* binding);

}  // namespace nono::launch
