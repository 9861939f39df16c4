#include "launch/child.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <thread>

#include "base/text.h"
#include "kernel/fd_table.h"
#include "launch/dumpable_guard.h"
#include "launch/keeper.h"
#include "launch/request.h"
#include "launch/setup_failure.h"
#include "launch/sink.h"

namespace nono::launch {
namespace {

// What may still lie in a pipe when its last writer has gone, read once the tree has ended.
constexpr std::size_t kMaxDrain = 16 * 1024 * 1024;

tl::unexpected<Error> io(std::string_view what) {
  return fail(ErrorKind::kIo, cat(what, " failed: ", os_error(errno)));
}

// The command waits: the pipe of a full stream is not looked at.
int looked_at(const Fd& pipe, const Sink& sink) { return sink.room() == 0 ? -1 : pipe.get(); }

}  // namespace

struct Child::State {
  State(plan::Plan plan_, Command command_, std::unique_ptr<Supervision> supervision_)
      : plan(std::move(plan_)),
        command(std::move(command_)),
        supervision(std::move(supervision_)),
        output(command.output),
        error(command.error) {}

  Status start();
  Status hand_over(const std::vector<int>& passed);
  Status check_grants() const;
  bool may_start_again() const;
  void start_again();
  bool watch(int fd, std::uint32_t what);
  bool watch_keeper();
  void abandon(bool keeper_fits);
  void give_up();
  void finish_identity_change();

  void supervise();
  void kill();
  void end_early(const char* why);
  static void pump_output(const Fd& pipe, Sink& sink, std::size_t limit);
  void watch_or_not(const Fd& pipe, const Sink& sink) const;
  std::string take(const Fd& pipe, Sink& sink);
  void pump_input();
  void end(bool keeper_lives);

  const plan::Plan plan;
  Command command;
  std::unique_ptr<Supervision> supervision;
  bool supervised = false;  // calls are handed over
  const pid_t owner = ::getpid();

  Request request;  // must not change until `ended`
  std::unique_ptr<Keeper> keeper;
  Fd events;

  Sink output;
  Sink error;
  std::size_t input_written = 0;
  std::atomic<bool> cancelled{false};
  bool keeper_is_silent = false;  // its socket has closed: its end is near
  std::optional<Error> start_error;  // of starting again
  bool uncovered = false;  // a denied path was replaced from outside while the command ran
  const char* ended_early = nullptr;  // why the command was ended by us
  Fd covers_event;         // for event_descriptor: the two would take the news from each other
  bool ended = false;
};

// --- starting --------------------------------------------------------------------------------

Status Child::State::start() {
  DumpableGuard dumpable(plan.become.has_value());
  const std::vector<int> passed = request.descriptors(plan);
  for (;;) {
    if (Status ok = hand_over(passed); !ok) return ok;
    Status watched = keeper->watch_covers();
    if (watched) watched = keeper->take_listener();
    if (!watched) {
      request.launch.gate.store(Launch::kAbandon);
      abandon(false);
      return watched;
    }
    // Both are asked while the command's process sets itself up and waits at the gate.
    const bool fits = keeper->fits_caller();
    const Status unchanged = check_grants();
    if (fits && unchanged && command.hides_this_process) {
      keeper->wait_for_view();  // which the keeper of a hidden host could not make
      dumpable.hide();
    }
    request.launch.gate.store(fits && unchanged ? Launch::kOpen : Launch::kAbandon);
    if (fits && unchanged) break;
    abandon(fits);
    if (!unchanged) return unchanged;
  }
  if (plan.become) finish_identity_change();
  return {};
}

// A kept keeper may have ended in its sleep: then another one is taken. What a new one could not do is
// reported when its end is seen.
Status Child::State::hand_over(const std::vector<int>& passed) {
  for (;;) {
    keeper = NONO_TRY(Keeper::acquire(plan));
    const bool sent = NONO_TRY(keeper->send(request.launch, plan.landlock, passed));
    if (sent || keeper->is_new()) return {};
    give_up();
  }
}

// A kept keeper that was killed before the request was taken from its socket.
bool Child::State::may_start_again() const {
  return !request.launch.received.load() && !keeper->is_new() && !cancelled.load() && !start_error;
}

void Child::State::start_again() {
  give_up();
  if (Status ok = start(); !ok) start_error = ok.error();
  if (!start_error && events.valid() && !watch_keeper()) start_error = io("epoll_ctl").value();
}

Status Child::State::check_grants() const {
  for (const auto& grant : plan.grants) {
    if (Status same = capability::check_unchanged(grant); !same) return same;
  }
  return {};
}

// Waits until the keeper has let go of `launch`.
void Child::State::abandon(bool keeper_fits) {
  std::array<pollfd, 2> fds{{{keeper->socket(), POLLIN, 0}, {keeper->process(), POLLIN, 0}}};
  while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
  }
  char done = 0;
  const bool lives = ::recv(keeper->socket(), &done, 1, MSG_DONTWAIT) == 1;
  if (lives && keeper_fits) Keeper::release(std::move(keeper));
  give_up();
}

// Ends the keeper. Nothing of its attempt may be taken for the next one's.
void Child::State::give_up() {
  keeper.reset();
  keeper_is_silent = false;
  Launch& launch = request.launch;
  launch.gate.store(Launch::kShut);
  launch.received.store(false);
  launch.finished.store(false);
  launch.failure.step.store(Step::kNone);
}

// Until the command has memory of its own (dumpable_guard.h), or has ended without.
void Child::State::finish_identity_change() {
  using namespace std::chrono_literals;
  const Launch& launch = request.launch;
  const auto is_ahead = [&] {
    return !launch.received.load() || (keeper->command_in_memory() && !launch.finished.load());
  };
  std::array<pollfd, 2> over{{{keeper->socket(), POLLIN, 0}, {keeper->process(), POLLIN, 0}}};
  while (is_ahead() && ::poll(over.data(), over.size(), 0) == 0) std::this_thread::sleep_for(50us);
}

Child::Child(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Child>> Child::launch(plan::Plan plan, Command command,
                                             std::unique_ptr<Supervision> supervision) {
  if (plan.seccomp_rules.ask() && supervision == nullptr) {
    return fail(ErrorKind::kSandboxInit, "Sandbox initialization failed: the plan asks for a supervisor");
  }
  auto state = std::make_unique<State>(std::move(plan), std::move(command), std::move(supervision));
  if (Status ok = state->request.prepare(state->plan, state->command); !ok) return tl::unexpected(ok.error());
  if (Status ok = state->start(); !ok) return tl::unexpected(ok.error());
  return std::unique_ptr<Child>(new Child(std::move(state)));
}

// --- driving ---------------------------------------------------------------------------------

void Child::State::pump_output(const Fd& pipe, Sink& sink, std::size_t limit) {
  std::array<char, 64 * 1024> chunk;
  while (pipe.valid() && limit > 0) {
    const std::size_t wanted = std::min(limit, chunk.size());
    const ssize_t n = ::read(pipe.get(), chunk.data(), wanted);
    if (n > 0) {
      sink.append({chunk.data(), static_cast<std::size_t>(n)});
      limit -= static_cast<std::size_t>(n);
      if (static_cast<std::size_t>(n) == wanted) continue;
      return;
    }
    if (n < 0 && errno == EINTR) continue;
    return;  // nothing there now; no end of file while the host holds the other end
  }
}

void Child::State::watch_or_not(const Fd& pipe, const Sink& sink) const {
  if (!events.valid() || !pipe.valid()) return;
  epoll_event event{};
  if (sink.room() > 0) event.events = EPOLLIN;
  ::epoll_ctl(events.get(), EPOLL_CTL_MOD, pipe.get(), &event);
}

std::string Child::State::take(const Fd& pipe, Sink& sink) {
  const bool was_full = sink.room() == 0;
  std::string bytes = sink.take_stream();
  if (was_full) watch_or_not(pipe, sink);
  return bytes;
}

std::string Child::take_output() { return state_->take(state_->request.output, state_->output); }
std::string Child::take_error() { return state_->take(state_->request.error, state_->error); }
bool Child::has_output() const { return state_->output.holds_stream() || state_->error.holds_stream(); }

void Child::State::pump_input() {
  const std::string& bytes = std::get<InputBytes>(command.input).bytes;
  // MSG_NOSIGNAL is for sockets; a pipe would raise SIGPIPE if the child's end could close. It
  // cannot: the host holds it until the tree has ended.
  const ssize_t n = ::write(request.input.get(), bytes.data() + input_written, bytes.size() - input_written);
  if (n > 0) input_written += static_cast<std::size_t>(n);
  if (input_written == bytes.size() || (n < 0 && errno != EAGAIN && errno != EINTR)) request.input.reset();
}

void Child::State::end(bool keeper_lives) {
  ended = true;
  if (supervised) supervision->stop();
  if (keeper_lives) {
    Keeper::release(std::move(keeper));
  } else if (keeper != nullptr) {
    keeper->reap();
  }
  request.release_streams();
  request.input.reset();
  pump_output(request.output, output, kMaxDrain);
  pump_output(request.error, error, kMaxDrain);
  request.output.reset();
  request.error.reset();
}

Child::Progress Child::poll(std::optional<std::chrono::nanoseconds> timeout) {
  State& s = *state_;
  if (s.ended) return Progress::kEnded;
  if (s.request.input.valid() && std::get<InputBytes>(s.command.input).bytes.empty()) s.request.input.reset();
  std::array<pollfd, 7> fds{{{s.keeper_is_silent ? -1 : s.keeper->socket(), POLLIN, 0},
                             {s.keeper->process(), POLLIN, 0},
                             {looked_at(s.request.output, s.output), POLLIN, 0},
                             {looked_at(s.request.error, s.error), POLLIN, 0},
                             {s.request.input.get(), POLLOUT, 0},
                             {s.uncovered ? -1 : s.keeper->covers(), POLLPRI, 0},
                             {s.supervised ? -1 : s.keeper->listener(), POLLIN, 0}}};
  timespec wait{};
  if (timeout) {
    wait.tv_sec = timeout->count() / 1'000'000'000;
    wait.tv_nsec = timeout->count() % 1'000'000'000;
  }
  if (::ppoll(fds.data(), fds.size(), timeout ? &wait : nullptr, nullptr) < 0) {
    return errno == EINTR ? Progress::kInterrupted : Progress::kRunning;
  }
  constexpr std::size_t kPerTurn = 1024 * 1024;
  const auto read_some = [&](const pollfd& polled, const Fd& pipe, Sink& sink) {
    if (polled.revents == 0) return;
    State::pump_output(pipe, sink, std::min(kPerTurn, sink.room()));
    if (sink.room() == 0) s.watch_or_not(pipe, sink);
  };
  read_some(fds[2], s.request.output, s.output);
  read_some(fds[3], s.request.error, s.error);
  if (fds[4].revents != 0) s.pump_input();
  if (fds[5].revents != 0) {
    s.uncovered = true;
    s.end_early("a denied path was replaced from outside while the command ran");
  }
  if ((fds[6].revents & POLLIN) != 0) s.supervise();
  if (fds[0].revents != 0) {
    char done = 0;
    if (::recv(s.keeper->socket(), &done, 1, MSG_DONTWAIT) == 1) {
      s.end(true);
      return Progress::kEnded;
    }
    // Closed: it ends, and has ended when its pidfd says so.
    s.keeper_is_silent = true;
    if (s.events.valid()) ::epoll_ctl(s.events.get(), EPOLL_CTL_DEL, s.keeper->socket(), nullptr);
  }
  if (fds[1].revents == 0) return Progress::kRunning;
  if (s.may_start_again()) {
    s.start_again();
    if (!s.start_error) return Progress::kRunning;
  }
  s.end(false);
  return Progress::kEnded;
}

void Child::State::supervise() {
  const Supervision::Taken taken = supervision->take(keeper->listener(), plan);
  if (taken == Supervision::Taken::kAnswered) return;
  supervised = true;
  if (taken == Supervision::Taken::kFailed) end_early("there is no descriptor or thread left for its supervisor");
  if (events.valid()) ::epoll_ctl(events.get(), EPOLL_CTL_DEL, keeper->listener(), nullptr);
}

bool Child::State::watch(int fd, std::uint32_t what) {
  epoll_event event{};
  event.events = what;
  return fd < 0 || ::epoll_ctl(events.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Child::State::watch_keeper() {
  if (keeper->covers() >= 0) {
    covers_event = keeper->open_covers();
    if (!covers_event.valid() || !watch(covers_event.get(), EPOLLPRI)) return false;
  }
  if (!supervised && !watch(keeper->listener(), EPOLLIN)) return false;
  return watch(keeper->socket(), EPOLLIN) && watch(keeper->process(), EPOLLIN);
}

Result<int> Child::event_descriptor() {
  State& s = *state_;
  if (s.events.valid()) return s.events.get();
  Fd events(::epoll_create1(EPOLL_CLOEXEC));
  if (!events.valid()) return io("epoll_create1");
  events = NONO_TRY(kernel::above_stdio(std::move(events)));
  s.events = std::move(events);
  const bool watched = s.watch_keeper() && s.watch(s.request.output.get(), EPOLLIN) &&
                       s.watch(s.request.error.get(), EPOLLIN) && s.watch(s.request.input.get(), EPOLLOUT);
  if (!watched) {
    s.events.reset();
    return io("epoll_ctl");
  }
  s.watch_or_not(s.request.output, s.output);
  s.watch_or_not(s.request.error, s.error);
  return s.events.get();
}

void Child::State::kill() {
  cancelled.store(true);
  request.launch.cancel.store(true);
  if (!ended) keeper->wake();
}

void Child::State::end_early(const char* why) {
  ended_early = why;
  kill();
}

void Child::kill() { state_->kill(); }

Outcome Child::take_outcome() {
  State& s = *state_;
  const Launch& launch = s.request.launch;
  Outcome outcome;
  auto output = s.output.take_capture();
  auto error = s.error.take_capture();
  outcome.output = std::move(output.bytes);
  outcome.dropped_output_bytes = output.dropped_bytes;
  outcome.error = std::move(error.bytes);
  outcome.dropped_error_bytes = error.dropped_bytes;
  outcome.cancelled = s.cancelled.load();
  if (s.ended_early != nullptr) outcome.error += cat("nono: ", s.ended_early, "; the command was ended\n");
  outcome.usage = launch.usage;
  const bool keeper_failed = s.keeper != nullptr && s.keeper->failure().step.load() != Step::kNone;
  const Failure& failure = keeper_failed ? s.keeper->failure() : launch.failure;
  if (s.start_error) {
    outcome.failed_to_start = true;
    outcome.setup_failure = {126, cat("nono: ", s.start_error->message, "\n")};
    outcome.exit_status = outcome.setup_failure.exit_code;
  } else if (failure.step.load() != Step::kNone || (!launch.finished.load() && !outcome.cancelled)) {
    outcome.failed_to_start = true;
    outcome.setup_failure = describe_setup_failure(failure, launch);
    outcome.exit_status = outcome.setup_failure.exit_code;
  } else if (!launch.finished.load()) {
    outcome.signal = SIGKILL;
  } else if (launch.exit_code_kind == CLD_EXITED) {
    outcome.exit_status = launch.exit_status;
  } else {
    outcome.signal = launch.exit_status;
  }
  return outcome;
}

Child::~Child() {
  if (state_ == nullptr || state_->ended) return;
  // In a fork of the host the keeper is not ours to end, and its memory is not this one.
  if (state_->owner != ::getpid()) return;
  kill();
  while (poll(std::nullopt) != Progress::kEnded) {
  }
}

}  // namespace nono::launch
