// Done: the end of one piece of work, for the thread that waits for it. Shared with the thread that does the work, which
// touches it for a moment longer than the other waits.
#pragma once

#include <sched.h>

#include <chrono>
#include <semaphore>

namespace nono::files {

class Done {
 public:
  void tell() { semaphore_.release(); }

  // False: the time is up. At first it gives its processor away instead of going to sleep: to the thread that works, which is
  // mostly there (Crew::give), and which need not wake anybody then.
  [[nodiscard]] bool wait(std::chrono::milliseconds time) {
    constexpr int kTurns = 16;
    for (int turn = 0; turn < kTurns; ++turn) {
      if (semaphore_.try_acquire()) return true;
      ::sched_yield();
    }
    return semaphore_.try_acquire_for(time);
  }

 private:
  std::binary_semaphore semaphore_{0};
};

}  // namespace nono::files
