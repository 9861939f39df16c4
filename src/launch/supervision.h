// Supervision: who answers the calls that a plan's filter puts to a supervisor. An interface, so that
// launch/ need not know how (supervise/supervisor.h).
#pragma once

#include "plan/plan.h"

namespace nono::launch {

class Supervision {
 public:
  enum class Taken {
    kAnswered,    // the next one will come here too
    kHandedOver,  // from now on it takes calls itself
    kFailed,      // there is no descriptor or thread left
  };

  virtual ~Supervision() = default;
  // By the thread that drives the Child, when a call waits, until they are handed over. Never waits. `listener`
  // is the keeper's: to be duplicated. `plan`: the Child's own.
  [[nodiscard]] virtual Taken take(int listener, const plan::Plan& plan) = 0;
  // When the command has ended: nobody takes a call from the listener after this returns.
  virtual void stop() = 0;
};

}  // namespace nono::launch
