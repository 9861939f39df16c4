// Supervisor: answers the calls of one command that its filter puts to a supervisor, by performing them
// itself. It never lets the kernel go on with a call whose arguments are in memory: what was checked
// there might be something else by then.
//
// One thread, or two in turns, receives calls and reads what they mean; others, confined as the command is (hand.h), perform
// them, so that a slow file system keeps nobody else waiting. A call that would wait for something (the other end of a FIFO)
// is put aside and tried again, and holds up no thread. They are started by the first call that takes them
// and end with the command; what shells and the C library try at every start is refused without. If the host ends, the command's keeper ends the tree.
// An attacker controls every byte of a call and its timing: decoding reads each piece once
// (call_reader.h), and what is decided is decided about an object that is held (object.h).
#pragma once

#include <memory>

#include "base/fd.h"
#include "launch/supervision.h"
#include "plan/plan.h"

namespace nono::supervise {

class Supervisor : public launch::Supervision {
 public:
  Supervisor() = default;
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor() override;
  [[nodiscard]] Taken take(int listener, const plan::Plan& plan) override;
  void stop() override;

 private:
  struct State;  // shared with the threads: one that a file system holds up outlives the command
  std::shared_ptr<State> state_;  // none before a call is handed over
  Fd listener_;  // the host's own; the threads have a descriptor table of their own
  Fd ending_;
  Fd ruleset_;
};

}  // namespace nono::supervise
