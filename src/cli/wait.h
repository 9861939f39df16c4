// Waiting for a command while passing on its stderr, watching its deadline and our own signals.
#pragma once

#include <chrono>
#include <optional>

#include "cli/relay.h"
#include "cli/signals.h"
#include "launch/child.h"

namespace nono::cli {

struct Ending {
  launch::Outcome outcome;
  bool timed_out = false;
  int signal = 0;  // the signal to nono that ended it
};

// `relay` may be null. Returns when the whole tree has ended and what it wrote has been passed on;
// after a deadline or a signal, without waiting for a reader that does not read.
[[nodiscard]] Result<Ending> wait_for(launch::Child& child, Relay* relay, const EndSignals& signals,
                                      std::optional<std::chrono::nanoseconds> timeout);

}  // namespace nono::cli
