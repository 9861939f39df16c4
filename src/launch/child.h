// Child: one running command under a Plan. The only place that starts a process.
//
// Resource with one owner; not movable, because the keeper process works in its memory. The owner
// drives it: `poll` moves input and output and says when everything has ended. No signal handler, no SIGCHLD of the host's is involved, and waitpid(-1) of the host does not see it.
// One thread at a time may call.
// Destroying a Child that has not ended kills its whole tree and waits for that.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "base/fd.h"
#include "base/result.h"
#include "launch/command.h"
#include "launch/supervision.h"
#include "plan/plan.h"

namespace nono::launch {

class Child {
 public:
  // Errors: kSandboxInit (a grant is no longer what was granted, a ruleset could not be made), kIo
  // (no descriptor, no process). What fails after the clone is in the Outcome instead.
  // `supervision` must be there when the plan's filter asks for it (supervise::launch sees to that).
  [[nodiscard]] static Result<std::unique_ptr<Child>> launch(plan::Plan plan, Command command,
                                                             std::unique_ptr<Supervision> supervision = nullptr);

  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  enum class Progress { kRunning, kInterrupted, kEnded };
  // Waits up to `timeout` (none: without limit) for something to do, and does it.
  // kInterrupted: a signal handler of the host ran.
  [[nodiscard]] Progress poll(std::optional<std::chrono::nanoseconds> timeout);

  // What a Stream has brought since the last time, after kEnded too; that makes room for more. Nothing of a Capture.
  [[nodiscard]] std::string take_output();
  [[nodiscard]] std::string take_error();
  [[nodiscard]] bool has_output() const;  // is there anything to take?

  // A descriptor that is readable when `poll` has something to do: for event loops.
  [[nodiscard]] Result<int> event_descriptor();

  // Ends the whole tree: returns at once, `poll` reports the end.
  void kill();

  // Once, after kEnded.
  [[nodiscard]] Outcome take_outcome();

 private:
  struct State;
  explicit Child(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nono::launch
