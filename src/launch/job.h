// Job: a Child with a thread that drives it, so that its deadline, its supervisor and what ends it early hold
// whatever its owner does meanwhile. Two kinds, by what becomes of the output:
//   stream: held until it is taken; the command waits at the Stream's bound, and nothing is lost.
//   kept: read at once, whether or not somebody looks; the last bytes stay, the command never waits for the host.
//
// Resource with one owner; any thread may call. The destructor ends the tree and joins the thread, which never calls
// back. A fork of the process has no such thread: there `is_ours` is false, nothing else may be called, and the
// destructor leaves everything alone. The process may end at any moment: the keeper ends the tree.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "launch/child.h"
#include "launch/command.h"

namespace nono::launch {

class Job {
 public:
  using Clock = std::chrono::steady_clock;

  // `child`: of a command with Streams. `keep`: how many of the last bytes of its stdout are kept; none: a stream. kIo.
  [[nodiscard]] static Result<std::unique_ptr<Job>> start(std::unique_ptr<Child> child,
                                                          std::optional<Clock::time_point> deadline,
                                                          std::optional<std::size_t> keep);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  [[nodiscard]] bool is_ours() const;

  // Readable once the tree has ended; of a stream also while there is something to take.
  [[nodiscard]] int event_descriptor() const;

  struct Taken {
    std::string output;
    std::string error;
    bool ended = false;  // that was the last of it
  };
  // Of a stream.
  [[nodiscard]] Taken take();

  struct Kept {
    std::string bytes;
    std::uint64_t end = 0;  // position behind the last one
    bool ended = false;
  };
  // What is kept from this position on.
  [[nodiscard]] Kept kept_from(std::uint64_t position) const;
  // The last bytes, `count` at most.
  [[nodiscard]] Kept last(std::size_t count) const;

  // Ends the whole tree: returns at once.
  void kill();

  struct End {
    Outcome outcome;
    bool expired = false;  // the deadline brought it
    Clock::time_point at;
  };
  // Once it has ended; none before.
  [[nodiscard]] std::optional<End> end() const;

 private:
  struct State;
  explicit Job(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nono::launch
