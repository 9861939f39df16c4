// Supervision: who answers the calls that a plan's filter puts to a supervisor. An interface, so that
// launch/ need not know how (supervise/supervisor.h).
#pragma once

namespace nono::launch {

class Supervision {
 public:
  virtual ~Supervision() = default;
  // Once, by the thread that drives the Child, when the first call waits. `listener` is the keeper's: to
  // be duplicated. False when there is no descriptor or thread left.
  [[nodiscard]] virtual bool start(int listener) = 0;
  // When the command has ended: nobody takes a call from the listener after this returns.
  virtual void stop() = 0;
};

}  // namespace nono::launch
