#include "cli/wait.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"

namespace nono::cli {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

bool was_killed(const Ending& ending) { return ending.timed_out || ending.signal != 0; }

class Wait {
 public:
  Wait(launch::Child& child, Relay* relay, const EndSignals& signals,
       std::optional<Clock::time_point> deadline)
      : child_(child), relay_(relay), signals_(signals), deadline_(deadline) {}

  Result<Ending> run() {
    const int child_events = NONO_TRY(child_.event_descriptor());
    while (!ended_) {
      std::array<pollfd, 3> fds{{{child_events, POLLIN, 0},
                                 {signals_.descriptor(), POLLIN, 0},
                                 relay_ != nullptr ? relay_->wanted() : pollfd{-1, 0, 0}}};
      if (::ppoll(fds.data(), fds.size(), time_left(), nullptr) < 0 && errno != EINTR) {
        return fail(ErrorKind::kIo, cat("ppoll failed: ", os_error(errno)));
      }
      check_deadline();
      if (fds[1].revents != 0) take_signal();
      if (fds[2].revents != 0) relay_->step();
      if (fds[0].revents != 0) step_child();
    }
    // With the tree gone its pipe holds all there is, and ends.
    if (relay_ != nullptr) {
      const int signal = drain(*relay_, signals_, ending_);
      if (!killed()) ending_.signal = signal;
    }
    return std::move(ending_);
  }

 private:
  [[nodiscard]] bool killed() const { return was_killed(ending_); }

  const timespec* time_left() {
    if (!deadline_ || killed()) return nullptr;
    const auto left = std::max(Clock::duration(0), *deadline_ - Clock::now());
    time_left_ = {left / 1s, (left % 1s).count()};
    return &time_left_;
  }

  void check_deadline() {
    if (!deadline_ || killed() || Clock::now() < *deadline_) return;
    ending_.timed_out = true;
    child_.kill();
  }

  void take_signal() {
    const int signal = signals_.received();
    if (signal == 0 || killed()) return;
    ending_.signal = signal;
    child_.kill();
  }

  void step_child() {
    if (child_.poll(0ns) != launch::Child::Progress::kEnded) return;
    ended_ = true;
    ending_.outcome = child_.take_outcome();
  }

  launch::Child& child_;
  Relay* relay_;
  const EndSignals& signals_;
  const std::optional<Clock::time_point> deadline_;
  timespec time_left_{};
  Ending ending_;
  bool ended_ = false;
};

}  // namespace

int drain(Relay& relay, const EndSignals& signals, const Ending& ending) {
  while (!relay.finished()) {
    std::array<pollfd, 2> fds{{relay.wanted(), {signals.descriptor(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), was_killed(ending) ? 0 : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return 0;
    if (fds[0].revents != 0) relay.step();
    if (fds[1].revents == 0) continue;
    if (const int signal = signals.received(); signal != 0) return signal;
  }
  return 0;
}

Result<Ending> wait_for(launch::Child& child, Relay* relay, const EndSignals& signals,
                        std::optional<std::chrono::nanoseconds> timeout) {
  std::optional<Clock::time_point> deadline;
  if (timeout) deadline = Clock::now() + *timeout;
  return Wait(child, relay, signals, deadline).run();
}

}  // namespace nono::cli
