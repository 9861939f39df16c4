#include "launch/job.h"

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "base/text.h"
#include "kernel/fd_table.h"
#include "kernel/signals.h"
#include "launch/output_tail.h"

namespace nono::launch {
namespace {

// Whoever waits has the next turn. A thread that reads without a pause would keep the others from a plain mutex.
class Turns {
 public:
  void lock() {
    const std::lock_guard next(next_);
    now_.lock();
  }
  void unlock() { now_.unlock(); }

 private:
  std::mutex next_;
  std::mutex now_;
};

}  // namespace

struct Job::State {
  void drive();
  bool drive_once();
  void wait() const;
  void keep_words(Outcome& outcome);
  void tell();
  void forget_news();
  Kept kept(std::uint64_t position) const;

  const pid_t owner = ::getpid();
  std::optional<Clock::time_point> deadline;
  int events = -1;  // the child's
  Fd news;          // an eventfd
  std::thread thread;

  mutable Turns turns;  // guard all below
  std::unique_ptr<Child> child;  // none once it has ended
  std::optional<OutputTail> tail;
  Taken rest;  // of a stream that has ended
  bool told = false;  // `news` is readable
  bool expired = false;
  std::optional<End> end;
};

Job::Job(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Job>> Job::start(std::unique_ptr<Child> child, std::optional<Clock::time_point> deadline,
                                        std::optional<std::size_t> keep) {
  auto state = std::make_unique<State>();
  state->events = NONO_TRY(child->event_descriptor());
  state->news = NONO_TRY(kernel::eventfd());
  state->deadline = deadline;
  if (keep) state->tail.emplace(*keep);
  state->child = std::move(child);
  const kernel::BlockAllSignals blocked;  // the host's handlers run in the host's threads
  try {
    state->thread = std::thread([job = state.get()] { job->drive(); });
  } catch (const std::system_error& error) {
    return fail(ErrorKind::kIo, cat("cannot start a thread: ", os_error(error.code().value())));
  }
  return std::unique_ptr<Job>(new Job(std::move(state)));
}

Job::~Job() {
  if (!is_ours()) {
    (void)state_.release();  // the thread is not there, and its lock may be held for good
    return;
  }
  kill();
  state_->thread.join();
}

bool Job::is_ours() const { return state_->owner == ::getpid(); }

int Job::event_descriptor() const { return state_->news.get(); }

// --- the thread ------------------------------------------------------------------------------

void Job::State::drive() {
  ::prctl(PR_SET_NAME, "nono-job", 0, 0, 0);
  while (drive_once()) wait();
}

// False: it has ended.
bool Job::State::drive_once() {
  const std::lock_guard lock(turns);
  if (deadline && Clock::now() >= *deadline) {
    deadline.reset();
    expired = true;
    child->kill();
  }
  const bool ended = child->poll(std::chrono::nanoseconds(0)) == Child::Progress::kEnded;
  if (tail) tail->append(child->take_output());
  if (ended) {
    rest = {child->take_output(), child->take_error(), true};
    end = End{child->take_outcome(), expired, Clock::now()};
    if (tail) keep_words(end->outcome);
    child.reset();
  }
  if (ended || child->has_output()) tell();
  return !ended;
}

// nono's own words stand behind what the command wrote.
void Job::State::keep_words(Outcome& outcome) {
  tail->append(std::exchange(outcome.error, {}));
  tail->append(std::exchange(outcome.setup_failure.message, {}));
  outcome.dropped_output_bytes = tail->begin();
}

// Until the child has something to do, or its time is up. Alone this thread changes the deadline.
void Job::State::wait() const {
  timespec left{};
  if (deadline) {
    const auto time = std::max(*deadline - Clock::now(), Clock::duration(0));
    left.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    left.tv_nsec = (time % std::chrono::seconds(1)).count();
  }
  pollfd event{events, POLLIN, 0};
  (void)::ppoll(&event, 1, deadline ? &left : nullptr, nullptr);
}

void Job::State::tell() {
  if (std::exchange(told, true)) return;
  const std::uint64_t one = 1;
  (void)!::write(news.get(), &one, sizeof one);
}

void Job::State::forget_news() {
  if (!std::exchange(told, false)) return;
  std::uint64_t count = 0;
  (void)!::read(news.get(), &count, sizeof count);
}

// --- the owner -------------------------------------------------------------------------------

Job::Taken Job::take() {
  State& s = *state_;
  const std::lock_guard lock(s.turns);
  if (s.end) return std::exchange(s.rest, {"", "", true});
  s.forget_news();
  return {s.child->take_output(), s.child->take_error(), false};
}

// In a turn.
Job::Kept Job::State::kept(std::uint64_t position) const { return {tail->from(position), tail->end(), end.has_value()}; }

Job::Kept Job::kept_from(std::uint64_t position) const {
  const std::lock_guard lock(state_->turns);
  return state_->kept(position);
}

Job::Kept Job::last(std::size_t count) const {
  const std::lock_guard lock(state_->turns);
  const std::uint64_t end = state_->tail->end();
  return state_->kept(end - std::min<std::uint64_t>(count, end));
}

void Job::kill() {
  const std::lock_guard lock(state_->turns);
  if (state_->child) state_->child->kill();
}

std::optional<Job::End> Job::end() const {
  const std::lock_guard lock(state_->turns);
  return state_->end;
}

}  // namespace nono::launch
