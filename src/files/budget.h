// Budget: how long a search may go on. Many threads look at one; whoever gave it may end it sooner.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

namespace nono::files {

using Cancelled = std::shared_ptr<std::atomic<bool>>;

class Budget {
 public:
  Budget(std::chrono::milliseconds time, Cancelled cancelled)
      : until_(std::chrono::steady_clock::now() + time), cancelled_(std::move(cancelled)) {}

  [[nodiscard]] bool is_spent() const {
    return (cancelled_ && cancelled_->load(std::memory_order_relaxed)) || std::chrono::steady_clock::now() >= until_;
  }

 private:
  std::chrono::steady_clock::time_point until_;
  Cancelled cancelled_;
};

}  // namespace nono::files
