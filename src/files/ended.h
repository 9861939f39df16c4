// Ended: which calls have ended, for event loops. Its descriptor, an eventfd that host and crew have open at the same number,
// is readable while there are any. Any thread. Resource; the crew and whoever watches the descriptor share it.
#pragma once

#include <sys/eventfd.h>

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace nono::files {

class Ended {
 public:
  explicit Ended(Fd event) : event_(std::move(event)) {}

  void tell(std::uint64_t call) {
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back(call);
    }
    (void)!::eventfd_write(event_.get(), 1);
  }
  // Each once.
  [[nodiscard]] std::vector<std::uint64_t> take() {
    eventfd_t count = 0;
    (void)!::eventfd_read(event_.get(), &count);
    const std::lock_guard lock(mutex_);
    return std::exchange(calls_, {});
  }
  [[nodiscard]] int descriptor() const { return event_.get(); }

 private:
  const Fd event_;
  std::mutex mutex_;
  std::vector<std::uint64_t> calls_;  // under the mutex
};

}  // namespace nono::files
