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

// `relay` may be null. Returns when the whole tree has ended and what it wrote has been passed on.
[[nodiscard]] Result<Ending> wait_for(launch::Child& child, Relay* relay, const EndSignals& signals,
                                      std::optional<std::chrono::nanoseconds> timeout);

// Passes on what is left. After a deadline or a signal a reader that does not read is not waited
// for. Returns the number of a signal that came meanwhile, or 0.
int drain(Relay& relay, const EndSignals& signals, const Ending& ending);

}  // namespace nono::cli
