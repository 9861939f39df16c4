#include "launch/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <thread>

#include "base/text.h"
#include "kernel/fd_table.h"
#include "launch/child_main.h"
#include "launch/dumpable_guard.h"
#include "launch/keeper.h"
#include "launch/output_buffer.h"
#include "launch/rulesets.h"
#include "launch/setup_failure.h"

namespace nono::launch {
namespace {

// What may still lie in a pipe when its last writer has gone, read once the tree has ended.
constexpr std::size_t kMaxDrain = 16 * 1024 * 1024;

tl::unexpected<Error> io(std::string_view what) {
  return fail(ErrorKind::kIo, cat(what, " failed: ", os_error(errno)));
}

Result<Fd> duplicate(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return io("fcntl(F_DUPFD_CLOEXEC)");
  return copy;
}

std::size_t bound_of(const Output& output) {
  const auto* capture = std::get_if<Capture>(&output);
  return capture == nullptr ? 0 : capture->max_bytes;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (auto& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

struct Child::State {
  State(plan::Plan plan_, Command command_)
      : plan(std::move(plan_)),
        command(std::move(command_)),
        output(bound_of(command.output)),
        error(bound_of(command.error)) {}

  Status start();
  Status prepare();
  Status hand_over(std::vector<int>& passed);
  Status check_grants() const;
  void abandon(bool keeper_fits);
  Status prepare_streams();
  Result<Fd> child_end(const Output& sink, Fd& reader);
  void prepare_view();
  void finish_identity_change();

  void pump_output(Fd& pipe, OutputBuffer& buffer, std::size_t limit);
  void pump_input();
  void end(bool keeper_lives);

  const plan::Plan plan;
  Command command;
  const pid_t owner = ::getpid();

  // What the keeper and the command read: must not move or change until `ended`.
  std::vector<std::string> environment_text;
  std::vector<char*> argv;
  std::vector<char*> environment;
  std::vector<RlimitPair> limits;
  std::vector<kernel::WritableRoot> writable;
  std::vector<kernel::ProcRule> proc_rules;
  std::string uid_map;
  std::string gid_map;
  Launch launch;

  std::array<Fd, 3> standard;
  Fd directory;
  std::unique_ptr<Keeper> keeper;
  Fd input_pipe;
  Fd output_pipe;
  Fd error_pipe;
  Fd events;

  OutputBuffer output;
  OutputBuffer error;
  std::size_t input_written = 0;
  std::atomic<bool> cancelled{false};
  bool keeper_is_silent = false;  // its socket has closed: its end is near
  bool ended = false;
};

// --- preparing -------------------------------------------------------------------------------

Result<Fd> Child::State::child_end(const Output& sink, Fd& reader) {
  if (const auto* given = std::get_if<OutputDescriptor>(&sink)) return duplicate(given->fd);
  kernel::Pipe pipe = NONO_TRY(kernel::pipe2(0));
  if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) return io("fcntl(O_NONBLOCK)");
  reader = std::move(pipe.read);
  return std::move(pipe.write);
}

Status Child::State::prepare_streams() {
  if (const auto* given = std::get_if<InputDescriptor>(&command.input)) {
    standard[0] = NONO_TRY(duplicate(given->fd));
  } else if (std::holds_alternative<InputBytes>(command.input)) {
    kernel::Pipe pipe = NONO_TRY(kernel::pipe2(0));
    if (::fcntl(pipe.write.get(), F_SETFL, O_NONBLOCK) != 0) {
      return io("fcntl(O_NONBLOCK)");
    }
    standard[0] = std::move(pipe.read);
    input_pipe = std::move(pipe.write);
  } else {
    launch.null_input = true;
  }
  standard[1] = NONO_TRY(child_end(command.output, output_pipe));
  standard[2] = NONO_TRY(child_end(command.error, error_pipe));
  return {};
}

void Child::State::prepare_view() {
  if (!plan.view) return;
  for (const auto& rule : plan.view->writable) {
    const auto& identity = rule.handle->identity;
    // A writable grant inside another one is in the same mount copy.
    const bool covered = std::ranges::any_of(writable, [&](const kernel::WritableRoot& root) {
      return capability::is_within(root.path, rule.path);
    });
    if (!covered && !S_ISCHR(identity.mode) && !S_ISBLK(identity.mode)) {
      writable.push_back({rule.path.c_str(), identity.device, identity.inode});
    }
  }
  for (const auto& rule : plan.view->in_proc) proc_rules.push_back({rule.path.c_str(), rule.access});
  launch.fresh_proc = !proc_rules.empty();
  launch.proc.rules = proc_rules.data();
  launch.proc.rule_count = proc_rules.size();
  uid_map = cat(::geteuid(), " ", ::geteuid(), " 1");
  gid_map = cat(::getegid(), " ", ::getegid(), " 1");
  launch.view.user_namespace = plan.view->user_namespace;
  launch.view.uid_map = uid_map.data();
  launch.view.uid_map_size = uid_map.size();
  launch.view.gid_map = gid_map.data();
  launch.view.gid_map_size = gid_map.size();
  launch.view.writable = writable.data();
  launch.view.writable_count = writable.size();
}

Status Child::State::prepare() {
  directory = NONO_TRY(kernel::open_path(command.directory, O_DIRECTORY));
  const kernel::Identity here = NONO_TRY(kernel::fstat(directory));
  if (Status ok = prepare_streams(); !ok) return ok;
  prepare_view();

  for (const auto& [name, value] : plan.environment) environment_text.push_back(cat(name, "=", value));
  argv = pointers(command.argv);
  environment = pointers(environment_text);
  for (const auto& limit : plan.rlimits) limits.push_back({limit.resource, limit.value});

  launch.program = command.program.c_str();
  launch.argv = argv.data();
  launch.environment = environment.data();
  launch.kept_numbers = plan.keep_descriptors.data();
  launch.kept_count = plan.keep_descriptors.size();
  if (plan.view) launch.directory_in_view = {command.directory.c_str(), here.device, here.inode};
  launch.limits = limits.data();
  launch.limit_count = limits.size();
  launch.kept_capabilities = plan.kept_capabilities;
  launch.change_identity = plan.become.has_value();
  launch.drop_capabilities = plan.facts.capabilities != 0 || plan.become || launch.view.user_namespace;
  if (plan.become) {
    launch.uid = plan.become->uid;
    launch.gid = plan.become->gid;
  }
  return {};
}

// --- starting --------------------------------------------------------------------------------

Status Child::State::start() {
  if (Status ok = prepare(); !ok) return ok;
  std::vector<int> passed{standard[0].get(), standard[1].get(), standard[2].get(), directory.get(),
                          directory.get()};
  // A place must not be empty: what stands in for one is not used.
  if (launch.null_input) passed[kStdin] = directory.get();
  passed.insert(passed.end(), plan.keep_descriptors.begin(), plan.keep_descriptors.end());
  for (;;) {
    if (Status ok = hand_over(passed); !ok) return ok;
    // Both are asked while the keeper starts the command, which waits at the gate.
    const bool fits = keeper->fits_caller();
    const Status unchanged = check_grants();
    launch.gate.store(fits && unchanged ? Launch::kOpen : Launch::kAbandon);
    if (fits && unchanged) break;
    abandon(fits);
    if (!unchanged) return unchanged;
  }
  // Theirs now. Not the reading end of a stdin pipe: while the host holds it, writing cannot raise
  // SIGPIPE in the host.
  standard[1].reset();
  standard[2].reset();
  return {};
}

// A kept keeper may have been killed in its sleep: then another one is taken. What a keeper itself
// could not do is reported when its end is seen.
Status Child::State::hand_over(std::vector<int>& passed) {
  for (;;) {
    keeper = NONO_TRY(Keeper::acquire(plan));
    // Rules for a /proc of the command's own are added to the ruleset: not to a shared one.
    Fd own_ruleset;
    if (launch.fresh_proc) own_ruleset = NONO_TRY(make_ruleset(plan.landlock));
    passed[kRuleset] = launch.fresh_proc ? own_ruleset.get() : NONO_TRY(keeper->ruleset(plan.landlock));
    const bool sent = NONO_TRY(keeper->send(launch, passed.data(), passed.size()));
    if (sent || keeper->failure().step.load() != Step::kNone) return {};
  }
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
  if (lives && keeper_fits) {
    Keeper::release(std::move(keeper));
  } else {
    keeper.reset();
  }
  // Nothing of the abandoned attempt may be taken for the next one's.
  launch.gate.store(Launch::kShut);
  launch.finished.store(false);
  launch.past_exec.store(false);
  launch.failure.step.store(Step::kNone);
}

// Until the command has memory of its own (dumpable_guard.h).
void Child::State::finish_identity_change() {
  using namespace std::chrono_literals;
  struct pollfd keeper_ended = {keeper->process(), POLLIN, 0};
  while (!launch.past_exec.load() && ::poll(&keeper_ended, 1, 0) == 0) std::this_thread::sleep_for(50us);
}

Child::Child(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Child>> Child::launch(plan::Plan plan, Command command) {
  auto state = std::make_unique<State>(std::move(plan), std::move(command));
  const DumpableGuard dumpable(state->plan.become.has_value());
  if (Status ok = state->start(); !ok) return tl::unexpected(ok.error());
  if (state->launch.change_identity) state->finish_identity_change();
  return std::unique_ptr<Child>(new Child(std::move(state)));
}

// --- driving ---------------------------------------------------------------------------------

void Child::State::pump_output(Fd& pipe, OutputBuffer& buffer, std::size_t limit) {
  std::array<char, 64 * 1024> chunk;
  while (pipe.valid() && limit > 0) {
    const ssize_t n = ::read(pipe.get(), chunk.data(), chunk.size());
    if (n > 0) {
      buffer.append({chunk.data(), static_cast<std::size_t>(n)});
      limit -= std::min(limit, static_cast<std::size_t>(n));
      if (static_cast<std::size_t>(n) == chunk.size()) continue;
      return;
    }
    if (n < 0 && errno == EINTR) continue;
    return;
  }
}

void Child::State::pump_input() {
  const std::string& bytes = std::get<InputBytes>(command.input).bytes;
  // MSG_NOSIGNAL is for sockets; a pipe would raise SIGPIPE if the child's end could close. It
  // cannot: the host holds it until the tree has ended.
  const ssize_t n = ::write(input_pipe.get(), bytes.data() + input_written, bytes.size() - input_written);
  if (n > 0) input_written += static_cast<std::size_t>(n);
  if (input_written == bytes.size() || (n < 0 && errno != EAGAIN && errno != EINTR)) input_pipe.reset();
}

void Child::State::end(bool keeper_lives) {
  ended = true;
  if (keeper_lives) {
    Keeper::release(std::move(keeper));
  } else {
    keeper->reap();
  }
  for (Fd& stream : standard) stream.reset();
  input_pipe.reset();
  pump_output(output_pipe, output, kMaxDrain);
  pump_output(error_pipe, error, kMaxDrain);
  output_pipe.reset();
  error_pipe.reset();
}

Child::Progress Child::poll(std::optional<std::chrono::nanoseconds> timeout) {
  State& s = *state_;
  if (s.ended) return Progress::kEnded;
  if (s.input_pipe.valid() && std::get<InputBytes>(s.command.input).bytes.empty()) s.input_pipe.reset();
  std::array<pollfd, 5> fds{{{s.keeper_is_silent ? -1 : s.keeper->socket(), POLLIN, 0},
                             {s.keeper->process(), POLLIN, 0},
                             {s.output_pipe.get(), POLLIN, 0},
                             {s.error_pipe.get(), POLLIN, 0},
                             {s.input_pipe.get(), POLLOUT, 0}}};
  timespec wait{};
  if (timeout) {
    wait.tv_sec = timeout->count() / 1'000'000'000;
    wait.tv_nsec = timeout->count() % 1'000'000'000;
  }
  if (::ppoll(fds.data(), fds.size(), timeout ? &wait : nullptr, nullptr) < 0) {
    return errno == EINTR ? Progress::kInterrupted : Progress::kRunning;
  }
  constexpr std::size_t kPerTurn = 1024 * 1024;
  if (fds[2].revents != 0) s.pump_output(s.output_pipe, s.output, kPerTurn);
  if (fds[3].revents != 0) s.pump_output(s.error_pipe, s.error, kPerTurn);
  if (fds[4].revents != 0) s.pump_input();
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
  s.end(false);
  return Progress::kEnded;
}

Result<int> Child::event_descriptor() {
  State& s = *state_;
  if (s.events.valid()) return s.events.get();
  Fd events(::epoll_create1(EPOLL_CLOEXEC));
  if (!events.valid()) return io("epoll_create1");
  events = NONO_TRY(kernel::above_stdio(std::move(events)));
  const std::array<std::pair<int, std::uint32_t>, 5> watched{{{s.keeper->socket(), EPOLLIN},
                                                              {s.keeper->process(), EPOLLIN},
                                                              {s.output_pipe.get(), EPOLLIN},
                                                              {s.error_pipe.get(), EPOLLIN},
                                                              {s.input_pipe.get(), EPOLLOUT}}};
  for (const auto& [fd, what] : watched) {
    epoll_event event{};
    event.events = what;
    if (fd >= 0 && ::epoll_ctl(events.get(), EPOLL_CTL_ADD, fd, &event) != 0) return io("epoll_ctl");
  }
  s.events = std::move(events);
  return s.events.get();
}

void Child::kill() {
  State& s = *state_;
  s.cancelled.store(true);
  s.launch.cancel.store(true);
  if (!s.ended) s.keeper->wake();
}

Outcome Child::take_outcome() {
  State& s = *state_;
  const Launch& launch = s.launch;
  Outcome outcome;
  auto output = s.output.take();
  auto error = s.error.take();
  outcome.output = std::move(output.bytes);
  outcome.dropped_output_bytes = output.dropped_bytes;
  outcome.error = std::move(error.bytes);
  outcome.dropped_error_bytes = error.dropped_bytes;
  outcome.cancelled = s.cancelled.load();
  outcome.usage = launch.usage;
  const bool keeper_failed = s.keeper != nullptr && s.keeper->failure().step.load() != Step::kNone;
  const Failure& failure = keeper_failed ? s.keeper->failure() : launch.failure;
  if (failure.step.load() != Step::kNone || (!launch.finished.load() && !outcome.cancelled)) {
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
