#include "supervise/supervisor.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "kernel/fd_table.h"
#include "kernel/signals.h"
#include "supervise/judge.h"

namespace nono::supervise {
namespace {

// More calls than these may be held up by file systems at a time before the next one has to wait.
constexpr int kMaxThreads = 16;
constexpr std::chrono::milliseconds kMaxWait{100};

constexpr unsigned long kNotifSetFlags = _IOW(SECCOMP_IOC_MAGIC, 4, std::uint64_t);
constexpr unsigned long kNotifSyncWakeUp = 1;

}  // namespace

struct Supervisor::State : std::enable_shared_from_this<Supervisor::State> {
  explicit State(const plan::Plan& plan)
      : law(plan), kept_capabilities(plan.kept_capabilities), has_capabilities(plan.facts.capabilities != 0) {}

  void add_thread();
  void work();
  [[nodiscard]] bool drop_capabilities() const;
  std::optional<seccomp_notif> receive();
  void respond(const seccomp_notif& call, int error) const;

  const Law law;
  const std::uint64_t kept_capabilities;
  const bool has_capabilities;
  Fd listener;
  Fd ending;  // readable once the command has ended
  std::mutex receiving;  // one at a time waits for calls; guards the two below
  bool ended = false;
  int threads = 0;
  std::condition_variable thread_ended;
  std::atomic<int> unoccupied{0};
};

Supervisor::Supervisor(const plan::Plan& plan) : state_(std::make_shared<State>(plan)) {}

Supervisor::~Supervisor() { stop(); }

bool Supervisor::start(int listener) {
  state_->listener = Fd(::fcntl(listener, F_DUPFD_CLOEXEC, 3));
  if (auto event = kernel::above_stdio(Fd(::eventfd(0, EFD_CLOEXEC)))) state_->ending = *std::move(event);
  if (!state_->listener.valid() || !state_->ending.valid()) return false;
  // Linux 6.6: caller and supervisor take turns on one processor.
  (void)::ioctl(listener, kNotifSetFlags, kNotifSyncWakeUp);
  const std::lock_guard lock(state_->receiving);
  state_->add_thread();
  return state_->threads > 0;
}

void Supervisor::stop() {
  if (!state_->ending.valid()) return;
  const std::uint64_t one = 1;
  (void)!::write(state_->ending.get(), &one, sizeof one);
  // Whoever has it is woken by that, or takes a call now; after this nobody does. The callers are gone: the
  // threads end at once, but for one that a file system holds up, which may not hold up the host.
  std::unique_lock lock(state_->receiving);
  state_->ended = true;
  state_->thread_ended.wait_for(lock, kMaxWait, [this] { return state_->threads == 0; });
}

// With `receiving` held.
void Supervisor::State::add_thread() {
  const kernel::BlockAllSignals blocked;  // the host's handlers run in the host's threads
  ++threads;
  unoccupied.fetch_add(1);
  try {
    std::thread([self = shared_from_this()] { self->work(); }).detach();
  } catch (const std::system_error&) {
    --threads;
    unoccupied.fetch_sub(1);
  }
}

void Supervisor::State::work() {
  ::prctl(PR_SET_NAME, "nono-supervisor", 0, 0, 0);
  const bool is_limited = drop_capabilities();
  while (const auto call = receive()) {
    const auto still_waits = [&] { return ::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id) == 0; };
    respond(*call, is_limited ? answer(law, *call, still_waits) : EPERM);
    unoccupied.fetch_add(1);
  }
  unoccupied.fetch_sub(1);
  const std::lock_guard lock(receiving);
  --threads;
  thread_ended.notify_all();
}

// Of this thread alone: not through libc, which would do it to all of them.
bool Supervisor::State::drop_capabilities() const {
  if (!has_capabilities) return true;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<std::uint32_t>(kept_capabilities);
  const auto high = static_cast<std::uint32_t>(kept_capabilities >> 32);
  const std::array<__user_cap_data_struct, 2> data{{{low, low, 0}, {high, high, 0}}};
  return ::syscall(SYS_capset, &header, data.data()) == 0;
}

// None once the command has ended. Never holds the lock while a call is performed.
std::optional<seccomp_notif> Supervisor::State::receive() {
  const std::lock_guard lock(receiving);
  for (;;) {
    std::array<pollfd, 2> fds{{{listener.get(), POLLIN, 0}, {ending.get(), POLLIN, 0}}};
    if (ended) return std::nullopt;
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return std::nullopt;
    if (fds[1].revents != 0 || (fds[0].revents & POLLHUP) != 0) return std::nullopt;
    if (fds[0].revents == 0) continue;
    seccomp_notif call{};  // has to be zero
    if (::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) continue;  // it was killed meanwhile
    if (unoccupied.fetch_sub(1) == 1 && threads < kMaxThreads) add_thread();
    return call;
  }
}

void Supervisor::State::respond(const seccomp_notif& call, int error) const {
  seccomp_notif_resp response{};
  response.id = call.id;
  response.error = -error;
  (void)::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);  // fails when nobody waits any more
}

}  // namespace nono::supervise
