// Done: the end of one piece of work, for the thread that waits for it. Shared with the thread that does the work, which
// touches it for a moment longer than the other waits.
#pragma once

#include <sched.h>

#include <atomic>
#include <chrono>
#include <semaphore>

namespace nono::files {

class Done {
 public:
  void tell() {
    if (stage_.exchange(Stage::kDone) == Stage::kSleeps) woken_.release();
  }

  // False: the time is up. At first it gives its processor away instead of going to sleep: to the thread that works, which is
  // mostly there (Crew::give), and which need not wake anybody then.
  [[nodiscard]] bool wait(std::chrono::milliseconds time) {
    constexpr int kTurns = 16;
    for (int turn = 0; turn < kTurns; ++turn) {
      if (stage_.load() == Stage::kDone) return true;
      ::sched_yield();
    }
    Stage known = Stage::kWorks;
    if (!stage_.compare_exchange_strong(known, Stage::kSleeps) && known == Stage::kDone) return true;
    return woken_.try_acquire_for(time);
  }

 private:
  enum class Stage { kWorks, kSleeps, kDone };
  std::atomic<Stage> stage_{Stage::kWorks};
  std::binary_semaphore woken_{0};
};

}  // namespace nono::files
