// A process that changes its uid makes the memory it shares with the host undumpable, so that the new
// uid's other processes cannot look into it. The guard gives the host its flag back afterwards, or leaves it hidden.
#pragma once

#include <sys/prctl.h>

#include <mutex>

#include "base/fork_safe.h"

namespace nono::launch {

// Identity changes take turns, or one launch would restore what another one is still hiding.
class DumpableGuard {
 public:
  explicit DumpableGuard(bool changes_identity) : lock_(taking_turns, std::defer_lock) {
    if (!changes_identity) return;
    lock_.lock();
    afterwards_ = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  }
  ~DumpableGuard() {
    // 2, a core for root only, can be given by the kernel alone.
    if (afterwards_ == 0 || afterwards_ == 1) ::prctl(PR_SET_DUMPABLE, afterwards_, 0, 0, 0);
  }
  DumpableGuard(const DumpableGuard&) = delete;
  DumpableGuard& operator=(const DumpableGuard&) = delete;

  // For good. Once more at the end: a change of identity may have made it 2 (fs.suid_dumpable).
  void hide() {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    afterwards_ = 0;
  }

 private:
  static inline ForkSafeMutex taking_turns;
  std::unique_lock<ForkSafeMutex> lock_;
  int afterwards_ = -1;  // -1: as it is
};

}  // namespace nono::launch
