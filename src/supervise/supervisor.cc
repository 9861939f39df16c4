#include "supervise/supervisor.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "kernel/fd_table.h"
#include "kernel/signals.h"
#include "supervise/granted_places.h"
#include "supervise/hand.h"
#include "supervise/judge.h"

namespace nono::supervise {
namespace {

using namespace std::chrono_literals;

// More calls than these may be held up by file systems at a time before the next one has to wait.
constexpr int kMaxHands = 16;
// Calls that were taken and not yet begun: more stay with the kernel.
constexpr std::size_t kMaxTasks = 64;
// Calls that wait for something: more are refused (EAGAIN). Each holds descriptors of this process.
constexpr std::size_t kMaxPutAside = 64;
constexpr std::chrono::milliseconds kMaxWait{100};
constexpr std::chrono::milliseconds kTryAgain{1};
// What hands a descriptor over wakes the caller and sleeps until it has it. On one processor of a virtual machine a whole round
// trip takes 7 us; on two, one of which has to be woken each time, 30 to 44 (bench/build).
constexpr std::chrono::microseconds kSlowAnswer{10};
constexpr int kSlowAnswers = 4;  // after so many in a row a second thread is worth its start

constexpr unsigned long kNotifSetFlags = _IOW(SECCOMP_IOC_MAGIC, 4, std::uint64_t);
constexpr unsigned long kNotifSyncWakeUp = 1;
constexpr std::uint32_t kAddfdSend = 1U << 1;  // Linux 5.14

constexpr const char* kReceives = "nono-supervisor";  // a thread's name

using Clock = std::chrono::steady_clock;

void respond_to(int listener, std::uint64_t id, int error, int result = 0) {
  seccomp_notif_resp response{};
  response.id = id;
  response.error = -error;
  response.val = result;
  (void)::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);  // fails when nobody waits any more
}

struct Task {
  std::uint64_t id = 0;
  Prepared call;
  Fd waiting;  // what the last try held
  Clock::time_point due{};
};

// A thread that receives.
struct Receiver {
  std::unique_lock<std::mutex> turn;
  int slow_answers = 0;  // in a row
};

// What the threads know of a plan. It holds grants, whose descriptors are the host's.
struct OfPlan {
  explicit OfPlan(const plan::Plan& plan) : law(plan), rules(plan), kept_capabilities(capabilities_to_keep(plan)) {
    if (kept_capabilities) of_receiver = *kept_capabilities | (plan.facts.capabilities & (std::uint64_t{1} << CAP_SYS_PTRACE));
  }
  Law law;
  const Rules rules;
  const std::optional<std::uint64_t> kept_capabilities;
  std::optional<std::uint64_t> of_receiver;  // has to trace the command
};

}  // namespace

struct Supervisor::State : std::enable_shared_from_this<Supervisor::State> {
  explicit State(const plan::Plan& plan_) : plan(std::make_unique<OfPlan>(plan_)) {}

  void receive_first_calls();
  void receive_more_calls();
  void receive_calls(bool is_apart);
  void perform_calls();
  template <class Body>
  bool start_thread(const char* name, Body body);

  std::optional<seccomp_notif> receive();
  void take(const seccomp_notif& call, Receiver& self);
  void answer_in_turn(std::uint64_t id, Answer given, Receiver& self);
  void hand_over(Task task);
  std::optional<Task> next_task();
  void finish(Task task, Answer given);
  [[nodiscard]] bool still_waits(std::uint64_t id) const;
  void respond(std::uint64_t id, int error, int result = 0) const { respond_to(listener, id, error, result); }
  void respond(std::uint64_t id, Answer given) const;

  std::unique_ptr<OfPlan> plan;  // gone with the last thread
  // Numbers in the host's table and in the threads' own. What is in a Task is in the latter.
  int listener = -1;
  int ending = -1;  // readable once the command has ended
  int ruleset = -1;

  std::mutex turn;  // of those that receive: held from before a call is taken until it is answered, mostly
  std::optional<GrantedPlaces> places;  // under `turn`
  std::mutex receiving;  // held while a call is taken from the listener
  std::optional<seccomp_notif> first;  // the call that started the threads

  std::mutex mutex;  // guards all below
  std::condition_variable work;     // a task, or the end
  std::condition_variable changed;  // anything else below
  bool ended = false;
  bool has_own_descriptors = false;
  int threads = 0;
  int receivers = 1;
  int hands = 0;
  int idle_hands = 0;
  std::deque<Task> tasks;
  std::deque<Task> put_aside;  // to be tried again
};

Supervisor::~Supervisor() { stop(); }

launch::Supervision::Taken Supervisor::take(int listener, const plan::Plan& plan) {
  seccomp_notif call{};  // has to be zero
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return Taken::kAnswered;  // it was killed meanwhile
  if (const auto error = refusal_at_once(plan, call)) {
    respond_to(listener, call.id, *error);
    return Taken::kAnswered;
  }
  state_ = std::make_shared<State>(plan);
  listener_ = Fd(::fcntl(listener, F_DUPFD_CLOEXEC, 3));
  if (auto event = kernel::eventfd()) ending_ = *std::move(event);
  if (auto made = ruleset_of(state_->plan->rules, static_cast<int>(call.pid))) ruleset_ = *std::move(made);
  if (!listener_.valid() || !ending_.valid() || !ruleset_.valid()) return Taken::kFailed;
  // Its root was another's, if it has ended.
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call.id) != 0) return Taken::kAnswered;
  // Linux 6.6: caller and supervisor take turns on one processor.
  (void)::ioctl(listener, kNotifSetFlags, kNotifSyncWakeUp);
  state_->listener = listener_.get();
  state_->ending = ending_.get();
  state_->ruleset = ruleset_.get();
  state_->first = call;
  const std::lock_guard lock(state_->mutex);
  return state_->start_thread(kReceives, &State::receive_first_calls) ? Taken::kHandedOver : Taken::kFailed;
}

void Supervisor::stop() {
  if (!ending_.valid()) return;
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [this] { return state_->threads == 0 || state_->has_own_descriptors; });
  const std::uint64_t one = 1;
  (void)!::write(ending_.get(), &one, sizeof one);
  state_->ended = true;
  state_->work.notify_all();
  state_->changed.notify_all();
  lock.unlock();
  // Whoever receives is woken by the event, or takes a call now; after this nobody does.
  { const std::lock_guard nobody(state_->receiving); }
  // The callers are gone: the threads end at once, but for one that a file system holds up, which may not
  // hold up the host.
  lock.lock();
  const bool all_ended = state_->changed.wait_for(lock, kMaxWait, [this] { return state_->threads == 0; });
  if (all_ended) state_->plan.reset();
  listener_.reset();
  ending_.reset();
  ruleset_.reset();
}

// With the mutex held.
template <class Body>
bool Supervisor::State::start_thread(const char* name, Body body) {
  const kernel::BlockAllSignals blocked;  // the host's handlers run in the host's threads
  ++threads;
  try {
    std::thread([self = shared_from_this(), name, body] {
      ::prctl(PR_SET_NAME, name, 0, 0, 0);
      ((*self).*body)();
      const std::lock_guard lock(self->mutex);
      --self->threads;
      self->changed.notify_all();
    }).detach();
  } catch (const std::system_error&) {
    --threads;
    return false;
  }
  return true;
}

// --- the threads that receive, in turns ----------------------------------------------------------

void Supervisor::State::receive_first_calls() {
  const bool is_apart = leave_descriptors({listener, ending, ruleset}) && set_this_thread_apart(plan->of_receiver);
  {
    const std::lock_guard lock(mutex);
    has_own_descriptors = true;
    changed.notify_all();
  }
  receive_calls(is_apart);
}

// Started by the first, in its table.
void Supervisor::State::receive_more_calls() { receive_calls(set_this_thread_apart(plan->of_receiver)); }

void Supervisor::State::receive_calls(bool is_apart) {
  Receiver self{std::unique_lock(turn)};
  while (const auto call = receive()) {
    if (is_apart) take(*call, self);
    else respond(call->id, EPERM);
  }
  self.turn.unlock();
  std::unique_lock lock(mutex);
  if (--receivers > 0) return;
  // What is still open is closed by the last one, in the table that it belongs to.
  places.reset();
  changed.wait(lock, [this] { return hands == 0; });
  tasks.clear();
  put_aside.clear();
}

void Supervisor::State::take(const seccomp_notif& call, Receiver& self) {
  const int thread = static_cast<int>(call.pid);
  auto decoded = decode_call(plan->law.arch, call);
  if (const int* error = std::get_if<int>(&decoded)) return respond(call.id, *error);
  Call& known = std::get<Call>(decoded);
  if (!places) {
    places.emplace(plan->law.grants, thread);
    if (!still_waits(call.id)) return places.reset();  // another's root
  }
  const auto waits = [&] { return still_waits(call.id); };
  if (auto given = open_at_once(plan->law, *places, thread, known, waits)) {
    if (!given->later) return answer_in_turn(call.id, *std::move(given), self);
    return finish({call.id, {std::move(known), {}, {}, 0, {}}, Fd(), {}}, *std::move(given));
  }
  auto prepared = prepare(plan->law, thread, std::move(known), waits);
  if (const int* error = std::get_if<int>(&prepared)) return respond(call.id, *error);
  hand_over({call.id, std::get<Prepared>(std::move(prepared)), Fd(), {}});
}

// Where answers are slow, the next call is taken by another thread, on the processor where the caller is then; and the
// caller mostly stays there, with both.
void Supervisor::State::answer_in_turn(std::uint64_t id, Answer given, Receiver& self) {
  if (!given.opened.valid()) return respond(id, std::move(given));
  const bool passes = self.slow_answers >= kSlowAnswers;
  if (passes) {
    const std::lock_guard lock(mutex);
    if (receivers == 1 && !ended && start_thread(kReceives, &State::receive_more_calls)) ++receivers;
  }
  if (passes) self.turn.unlock();
  const Clock::time_point start = Clock::now();
  respond(id, std::move(given));
  self.slow_answers = Clock::now() - start > kSlowAnswer ? self.slow_answers + 1 : 0;
  if (passes) self.turn.lock();
}

// None once the command has ended.
std::optional<seccomp_notif> Supervisor::State::receive() {
  const std::lock_guard lock(receiving);
  if (first) return std::exchange(first, std::nullopt);
  for (;;) {
    std::array<pollfd, 2> fds{{{listener, POLLIN, 0}, {ending, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return std::nullopt;
    if (fds[1].revents != 0 || (fds[0].revents & POLLHUP) != 0) return std::nullopt;
    if (fds[0].revents == 0) continue;
    seccomp_notif call{};  // has to be zero
    if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0) return call;
    // It was killed meanwhile.
  }
}

void Supervisor::State::hand_over(Task task) {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return ended || tasks.size() < kMaxTasks; });
  if (ended) return;
  tasks.push_back(std::move(task));
  if (idle_hands < static_cast<int>(tasks.size()) && hands < kMaxHands) {
    if (start_thread("nono-hand", &State::perform_calls)) ++hands;
  }
  if (hands > 0) return work.notify_one();
  respond(tasks.back().id, EAGAIN);  // no thread is to be had
  tasks.pop_back();
}

// --- the threads that perform --------------------------------------------------------------------

void Supervisor::State::perform_calls() {
  const bool is_confined = confine_this_thread(ruleset, plan->kept_capabilities);
  while (auto task = next_task()) {
    if (!is_confined) {
      respond(task->id, EPERM);
    } else if (still_waits(task->id)) {
      Answer given = answer(plan->law, task->call, std::exchange(task->waiting, Fd()));
      finish(*std::move(task), std::move(given));
    }
  }
  const std::lock_guard lock(mutex);
  --hands;
  changed.notify_all();
}

// A new one, or one that was put aside and is due. None once the command has ended.
std::optional<Task> Supervisor::State::next_task() {
  std::unique_lock lock(mutex);
  ++idle_hands;
  const auto is_due = [this] { return !put_aside.empty() && put_aside.front().due <= Clock::now(); };
  while (!ended && tasks.empty() && !is_due()) {
    if (put_aside.empty()) {
      work.wait(lock);
    } else {
      const Clock::time_point due = put_aside.front().due;  // another hand may take it meanwhile
      work.wait_until(lock, due);
    }
  }
  --idle_hands;
  if (ended) return std::nullopt;
  std::deque<Task>& from = tasks.empty() ? put_aside : tasks;
  Task task = std::move(from.front());
  from.pop_front();
  if (tasks.size() + 1 == kMaxTasks) changed.notify_all();
  return task;
}

void Supervisor::State::finish(Task task, Answer given) {
  if (!given.later) {
    const std::uint64_t id = task.id;
    { const Task done = std::move(task); }  // the caller may close its socket next, and then nobody may have it open
    return respond(id, std::move(given));
  }
  task.waiting = std::move(given.opened);
  task.due = Clock::now() + kTryAgain;
  const std::lock_guard lock(mutex);
  if (put_aside.size() == kMaxPutAside) return respond(task.id, EAGAIN);
  put_aside.push_back(std::move(task));
  work.notify_one();
}

// --- answers ---------------------------------------------------------------------------------------

bool Supervisor::State::still_waits(std::uint64_t id) const {
  return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void Supervisor::State::respond(std::uint64_t id, Answer given) const {
  if (!given.opened.valid()) return respond(id, given.error, given.result);
  seccomp_notif_addfd handed{};
  handed.id = id;
  handed.flags = given.is_sole ? 0 : kAddfdSend;
  handed.srcfd = static_cast<std::uint32_t>(given.opened.get());
  handed.newfd_flags = given.close_on_exec ? O_CLOEXEC : 0;
  int number = ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &handed);
  if (number < 0 && errno == EINVAL && !given.is_sole) {  // before Linux 5.14
    given.is_sole = true;
    handed.flags = 0;
    number = ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &handed);
  }
  if (number < 0) return respond(id, errno);
  if (!given.is_sole) return;
  given.opened.reset();
  respond(id, 0, number);
}

}  // namespace nono::supervise
