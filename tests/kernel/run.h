// Runs one command from its launch to its end, for tests that have nothing else to do meanwhile.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "launch/child.h"
#include "launch/command.h"
#include "plan/plan.h"
#include "supervise/launch.h"

namespace nono::launch {

// Launches, waits, ends the tree at the deadline. `interrupted` is asked after each signal of the
// host and may say true to cancel (SIGINT).
struct Deadline {
  std::optional<std::chrono::steady_clock::time_point> at;
};
template <class Interrupted>
[[nodiscard]] Result<Outcome> run(plan::Plan plan, Command command, Deadline deadline,
                                  Interrupted interrupted) {
  const std::unique_ptr<Child> child = NONO_TRY(supervise::launch(std::move(plan), std::move(command)));
  bool expired = false;
  for (;;) {
    std::optional<std::chrono::nanoseconds> left;
    if (deadline.at && !expired) {
      left = std::max(std::chrono::nanoseconds(0),
                      std::chrono::nanoseconds(*deadline.at - std::chrono::steady_clock::now()));
      if (left->count() == 0) {
        expired = true;
        child->kill();
        left.reset();
      }
    }
    switch (child->poll(left)) {
      case Child::Progress::kEnded: return child->take_outcome();
      case Child::Progress::kInterrupted:
        if (interrupted()) child->kill();
        break;
      case Child::Progress::kRunning: break;
    }
  }
}

}  // namespace nono::launch
