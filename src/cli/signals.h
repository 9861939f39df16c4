// The signals that end a run: taken from a descriptor, so that none is missed between two looks.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace nono::cli {

// From construction on SIGINT, SIGTERM and SIGHUP no longer end this process but make `descriptor`
// readable. One that was ignored before (nohup) stays so. One object, for the life of the process.
class EndSignals {
 public:
  [[nodiscard]] static Result<EndSignals> take_over();
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  // The number of one that has come, or 0. Never waits.
  [[nodiscard]] int received() const;

 private:
  explicit EndSignals(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace nono::cli
