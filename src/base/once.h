// Once: a value that is made when it is first asked for. Any thread may ask; threads that ask first at the same time
// each make one, and one of these is kept. Nobody waits: a fork of the process in that moment has no thread that it
// could wait for, as std::call_once and static locals would let it.
// Declared static constinit it outlives exit(): a host's threads may run our code until the very end of the process
// (Python's daemon threads do), while static objects are being destroyed.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace nono {

template <class T>
class Once {
 public:
  constexpr Once() = default;
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  template <class Make>
  [[nodiscard]] const T& get(Make&& make) {
    if (const T* made = made_.load(std::memory_order_acquire)) return *made;
    auto fresh = std::make_unique<const T>(std::forward<Make>(make)());
    const T* kept = nullptr;
    if (made_.compare_exchange_strong(kept, fresh.get(), std::memory_order_acq_rel)) kept = fresh.release();
    return *kept;
  }

  // Back to the beginning, for an owner that nobody else uses: what is in it ends with what is returned.
  std::unique_ptr<const T> take() { return std::unique_ptr<const T>(made_.exchange(nullptr)); }

 private:
  std::atomic<const T*> made_{nullptr};
};

}  // namespace nono
