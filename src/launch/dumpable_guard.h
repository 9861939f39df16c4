// A process that changes its uid makes the memory it shares with the host undumpable, so that the new
// uid's other processes cannot look into it. The guard gives the host its flag back afterwards.
#pragma once

#include <sys/prctl.h>

#include <mutex>

#include "base/fork_safe.h"

namespace nono::launch {

// Identity changes take turns, or one launch would restore what another one is still hiding.
class DumpableGuard {
 public:
  explicit DumpableGuard(bool active) : lock_(taking_turns, std::defer_lock) {
    if (!active) return;
    lock_.lock();
    before_ = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  }
  ~DumpableGuard() {
    if (before_ == 1) ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
  DumpableGuard(const DumpableGuard&) = delete;
  DumpableGuard& operator=(const DumpableGuard&) = delete;

 private:
  static inline ForkSafeMutex taking_turns;
  std::unique_lock<ForkSafeMutex> lock_;
  int before_ = -1;
};

}  // namespace nono::launch
