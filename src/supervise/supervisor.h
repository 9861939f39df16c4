// Supervisor: answers the calls of one command that its filter puts to a supervisor, by performing them
// itself. It never lets the kernel go on with a call whose arguments are in memory: what was checked
// there might be something else by then.
//
// Its threads are started by the first call that waits, end with the command, and work with the
// capabilities that the command has. One takes calls at a time while the others perform, so that a slow file
// system keeps nobody else waiting. If the host ends, the command's keeper ends the tree.
// An attacker controls every byte of a call and its timing: decoding reads each piece once
// (metadata_call.h), and what is decided is decided about an object that is held (object.h).
#pragma once

#include <memory>

#include "launch/supervision.h"
#include "plan/plan.h"

namespace nono::supervise {

class Supervisor : public launch::Supervision {
 public:
  explicit Supervisor(const plan::Plan& plan);
  ~Supervisor() override;
  [[nodiscard]] bool start(int listener) override;
  void stop() override;

 private:
  struct State;  // shared with the threads: one that a file system holds up outlives the command
  std::shared_ptr<State> state_;
};

}  // namespace nono::supervise
