// Notifier: tells an event loop which operations have ended. Its descriptor is readable while there are any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/fd.h"
#include "bindings.h"

namespace nono::python {

// Shared with the threads that do the work, which may outlive the loop.
class Ended {
 public:
  explicit Ended(Fd event) : event_(std::move(event)) {}
  void add(std::uint64_t number);  // any thread
  [[nodiscard]] std::vector<std::uint64_t> take();
  [[nodiscard]] int descriptor() const { return event_.get(); }

 private:
  const Fd event_;
  std::mutex mutex_;
  std::vector<std::uint64_t> numbers_;  // under the mutex
};

struct Notifier {
  std::shared_ptr<Ended> ended;
};

}  // namespace nono::python
