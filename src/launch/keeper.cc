#include "launch/keeper.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "base/fork_safe.h"
#include "base/immortal.h"
#include "base/text.h"
#include "kernel/fd_table.h"
#include "kernel/raw.h"
#include "kernel/signals.h"
#include "kernel/uapi.h"

namespace nono::launch {
namespace {

// Enough for a host that runs a few commands side by side; more come and go.
constexpr std::size_t kMaxIdle = 4;

tl::unexpected<Error> io(std::string_view what) {
  return fail(ErrorKind::kIo, cat(what, " failed: ", os_error(errno)));
}

// The kept keepers of this process. A fork has copies of the objects, not of the processes: they name
// another host there, are never used, and make room for its own.
ForkSafeMutex idle_mutex;
Immortal<std::vector<std::unique_ptr<Keeper>>> idle_keepers;
[[maybe_unused]] const int discards_at_exit = std::atexit(Keeper::discard_kept);

}  // namespace

void Keeper::FreeMemory::operator()(std::byte* memory) const { std::free(memory); }

// The first look at a freshly opened file says nothing; each later one whether there was a change.
bool Keeper::view_is_current() const {
  const auto is_unchanged = [](const Fd& mounts) {
    pollfd changed{mounts.get(), POLLPRI, 0};
    return mounts.valid() && ::poll(&changed, 1, 0) == 0;
  };
  return !view_ || (is_unchanged(mounts_) && (view_->covered.empty() || is_unchanged(view_mounts_)));
}

// Through the first one: /proc may hide the keeper of a hidden host from that host (hidepid=2).
Fd Keeper::open_covers() const {
  return Fd(::open(cat("/proc/thread-self/fd/", covers()).c_str(), O_RDONLY | O_CLOEXEC));
}

void Keeper::wait_for_view() const {
  pollfd ended{process_.get(), POLLIN, 0};
  while (view_ && !start_.view_made.load() && ::poll(&ended, 1, 0) == 0) std::this_thread::yield();
}

// Nobody inside can change these mounts. They change when somebody outside removes or replaces what
// one of them covers, and then it is uncovered.
Status Keeper::watch_covers() {
  if (!view_ || view_->covered.empty() || view_mounts_.valid()) return {};
  wait_for_view();
  Fd mounts(::open(cat("/proc/", pid_, "/mountinfo").c_str(), O_RDONLY | O_CLOEXEC));
  if (!mounts.valid() && start_.view_made.load()) return io("open(/proc/PID/mountinfo)");
  if (mounts.valid()) view_mounts_ = NONO_TRY(kernel::above_stdio(std::move(mounts)));
  return {};
}

// The first message of a keeper. When it has ended instead, that is seen later.
Status Keeper::take_listener() {
  if (!start_.sends_listener || (listener_.valid() && !start_.fresh_proc)) return {};
  listener_.reset();
  char byte = 0;
  iovec payload{&byte, sizeof byte};
  alignas(cmsghdr) std::array<unsigned char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &payload;
  message.msg_iovlen = 1;
  ssize_t size = 0;
  while ((size = ::recvmsg(socket_.get(), &message, MSG_PEEK)) < 0 && errno == EINTR) {
  }
  // Another message: the command has ended before it had a filter.
  if (size > 0 && (message.msg_flags & MSG_CTRUNC) == 0) return {};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (size > 0) size = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size == 0 || (size < 0 && errno == ECONNRESET)) return {};
  if (size < 0) return io("recvmsg()");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) {
    return fail(ErrorKind::kIo, "no descriptor left for the supervisor's listener");
  }
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  listener_ = NONO_TRY(kernel::above_stdio(Fd(fd)));
  return {};
}

bool Keeper::fits_caller() {
  return is_new_ || (view_is_current() && identity_ == host_identity(host_files_));
}

// The best one: that has this ruleset, and of these the one that slept last, which remembers this
// caller's files most likely.
Result<std::unique_ptr<Keeper>> Keeper::acquire(const plan::Plan& plan) {
  std::optional<ViewKey> view;
  if (plan.view) view = NONO_TRY(ViewKey::of(*plan.view));
  const auto fits = [&](const Keeper& idle) {
    return idle.program_ == plan.seccomp_program && idle.view_ == view && idle.start_.host_pid == ::getpid();
  };
  {
    auto& kept = *idle_keepers;
    const std::lock_guard lock(idle_mutex);
    auto best = kept.end();
    for (auto idle = kept.begin(); idle != kept.end(); ++idle) {
      if (!fits(**idle)) continue;
      const auto has_ruleset = [&](auto keeper) { return (*keeper)->ruleset_.holds(plan.landlock); };
      if (best == kept.end() || has_ruleset(idle) || !has_ruleset(best)) best = idle;
    }
    if (best != kept.end()) {
      auto keeper = std::move(*best);
      kept.erase(best);
      return keeper;
    }
  }
  HostFiles files;
  HostIdentity identity = host_identity(files);
  // Before the view is made, so that no change falls between.
  Fd mounts;
  if (view) mounts = Fd(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  auto keeper = NONO_TRY(make(plan.seccomp_program, std::move(view), !identity.is_complete(),
                              plan.seccomp_rules));
  if (mounts.valid()) keeper->mounts_ = NONO_TRY(kernel::above_stdio(std::move(mounts)));
  keeper->identity_ = std::move(identity);
  return keeper;  // without those files: most that are made while others are busy are not used again
}

void Keeper::release(std::unique_ptr<Keeper> keeper) {
  if (!keeper->identity_.is_complete()) return;
  keeper->is_new_ = false;
  std::unique_ptr<Keeper> oldest;  // ended after the lock is gone
  auto& kept = *idle_keepers;
  const std::lock_guard lock(idle_mutex);
  if (kept.size() >= kMaxIdle) {
    oldest = std::move(kept.front());
    kept.erase(kept.begin());
  }
  kept.push_back(std::move(keeper));
}

void Keeper::discard_kept() {
  std::vector<std::unique_ptr<Keeper>> ended;
  auto& kept = *idle_keepers;
  const std::lock_guard lock(idle_mutex);
  ended.swap(kept);
}

Result<std::unique_ptr<Keeper>> Keeper::make(plan::SeccompProgram program, std::optional<ViewKey> view,
                                             bool once, const plan::SeccompRules& rules) {
  std::unique_ptr<Keeper> keeper(new Keeper);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return io("socketpair()");
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  keeper->socket_ = NONO_TRY(kernel::above_stdio(std::move(ours)));
  theirs = NONO_TRY(kernel::above_stdio(std::move(theirs)));
  keeper->stacks_.reset(static_cast<std::byte*>(std::aligned_alloc(kStackSize, 3 * kStackSize)));
  if (keeper->stacks_ == nullptr) return fail(ErrorKind::kIo, "out of memory for a child's stack");

  KeeperStart& start = keeper->start_;
  start.socket = theirs.get();
  start.seccomp = {static_cast<unsigned short>(program->size()), program->data()};
  keeper->program_ = std::move(program);
  if (view) {
    keeper->view_ = std::move(view);
    keeper->view_setup_.emplace(*keeper->view_);
    start.private_view = true;
    start.view = keeper->view_setup_->raw();
    start.fresh_proc = keeper->view_->fresh_proc;
  }
  start.host_pid = ::getpid();
  start.once = once;
  start.sends_listener = rules.ask();
  start.asks_to_send = rules.unix_sockets == plan::UnixSockets::kAskedToSend;
  start.command_stack = keeper->stacks_.get() + 2 * kStackSize;
  start.init_stack = keeper->stacks_.get() + 3 * kStackSize;
  *reinterpret_cast<KeeperStart**>(keeper->stacks_.get()) = &start;

  // CLONE_FS: the directory, root and umask a command starts with are the host's of that moment; a
  // new mount namespace cannot share them. Exit signal 0: no SIGCHLD to the host, and its
  // waitpid(-1) does not take the keeper.
  const unsigned long flags =
      CLONE_VM | kernel::kClonePidfd |
      (keeper->view_ ? kernel::private_view_flags(keeper->view_->user_namespace) : std::uint64_t{CLONE_FS});
  int pidfd = -1;
  long pid = 0;
  {
    const kernel::BlockAllSignals blocked;
    pid = kernel::raw::clone(flags, keeper->stacks_.get() + kStackSize, &pidfd, keeper_main, &start);
  }
  if (pid < 0) return fail(ErrorKind::kIo, cat("clone() failed: ", os_error(static_cast<int>(-pid))));
  keeper->reaped_ = false;
  keeper->pid_ = static_cast<int>(pid);
  keeper->process_ = NONO_TRY(kernel::above_stdio(Fd(pidfd)));
  return keeper;
}

Result<bool> Keeper::send(Launch& launch, const plan::LandlockRules& rules,
                          const std::vector<int>& descriptors) {
  if (const bool has_one = start_.has_ruleset.load(); !has_one || !ruleset_.holds(rules)) {
    const Fd ruleset = NONO_TRY(make_ruleset(rules));
    if (has_one && !NONO_TRY(send_message(nullptr, {}))) return false;
    if (!NONO_TRY(send_message(nullptr, {ruleset.get()}))) return false;
    ruleset_.remember(rules);
  }
  return send_message(&launch, descriptors);
}

Result<bool> Keeper::send_message(Launch* launch, const std::vector<int>& descriptors) {
  iovec payload{&launch, sizeof launch};
  alignas(cmsghdr) std::array<unsigned char, CMSG_SPACE(sizeof(Launch::descriptors))> control{};
  msghdr message{};
  message.msg_iov = &payload;
  message.msg_iovlen = 1;
  if (const std::size_t size = descriptors.size() * sizeof(int); size > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  while (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0) {
    if (errno == EPIPE || errno == ECONNRESET) return false;
    if (errno != EINTR) return io("sendmsg()");
  }
  return true;
}

void Keeper::wake() const {
  ::syscall(kernel::kNrPidfdSendSignal, process_.get(), kWakeSignal, nullptr, 0);
}

void Keeper::reap() {
  if (std::exchange(reaped_, true)) return;
  siginfo_t info{};
  constexpr auto kPidfd = static_cast<idtype_t>(3);  // P_PIDFD
  while (::waitid(kPidfd, static_cast<id_t>(process_.get()), &info, WEXITED | __WALL) < 0 && errno == EINTR) {
  }
  // Those it leaves behind have been sent SIGKILL with its end.
  for (auto* in_memory : {&start_.init_in_memory, &start_.command_in_memory}) {
    while (const int pid = in_memory->load()) ::syscall(SYS_futex, in_memory, FUTEX_WAIT, pid, nullptr);
  }
}

Keeper::~Keeper() {
  socket_.reset();  // an idle keeper ends when its socket does
  if (start_.host_pid == ::getpid()) reap();
}

}  // namespace nono::launch
