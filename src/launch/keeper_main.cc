// The keeper and the init. Runs in the host's memory: system calls only.
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>

#include "kernel/uapi.h"
#include "launch/child_steps.h"

namespace nono::launch {
namespace {

bool host_is_gone(const KeeperStart& start) { return call(SYS_getppid) != start.host_pid; }

// Waits for one child, or with WNOHANG takes those that have ended. True when there is none left.
// Notes the command's own end on the way.
bool reap(KeeperStart& start, int flags) {
  for (;;) {
    siginfo_t info;
    info.si_pid = 0;
    struct rusage usage;
    const long r = call(SYS_waitid, P_ALL, 0, address(&info), WEXITED | flags, address(&usage));
    if (r == -ECHILD) return true;
    if (r < 0 || info.si_pid == 0) return false;
    if (info.si_pid == start.command_pid && !start.command_ended) {
      start.command_ended = true;
      if (Launch* launch = start.current.load(); launch != nullptr) {
        launch->exit_code_kind = info.si_code;
        launch->exit_status = info.si_status;
        launch->usage = usage;
        launch->finished.store(true);
      }
    }
    if ((flags & WNOHANG) == 0) return false;
  }
}

// kill(-1) walks all processes under the lock that fork needs, so nothing can fork away from it; the
// kernel does the same for the namespace of an init that ends.
void kill_everything(const KeeperStart& start) {
  if (!start.private_view) {
    call(SYS_kill, -1, SIGKILL);
  } else if (start.init_pid > 0) {
    call(SYS_kill, start.init_pid, SIGKILL);
  }
}

// The handler of kWakeSignal: the host asks for the end, or a thread of it has ended and it may be
// gone as a whole.
void on_wake(int) {
  const auto stack = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) & ~(kStackSize - 1);
  const KeeperStart& start = **reinterpret_cast<KeeperStart**>(stack);
  const Launch* launch = start.current.load();
  const bool gone = host_is_gone(start);
  if (launch == nullptr && gone) leave(0);
  if (launch != nullptr && (launch->cancel.load() || gone)) kill_everything(start);
}

// What the host ignores its commands do not: they inherit from here. An ignored SIGCHLD would also
// reap the command behind our back.
void take_signals() {
  const KernelSigaction plain{};
  for (int signal = 1; signal <= 64; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) {
      call(SYS_rt_sigaction, signal, address(&plain), 0, kSigsetSize);
    }
  }
  KernelSigaction wake{};
  wake.handler = reinterpret_cast<void*>(on_wake);
  wake.flags = kSaRestorer;
  wake.restorer = reinterpret_cast<void*>(restore);
  call(SYS_rt_sigaction, kWakeSignal, address(&wake), 0, kSigsetSize);
  // Fires when the thread that made us ends, again when the thread that inherited us ends, and so
  // on to the process: each time `host_is_gone` tells which of the two it was.
  call(SYS_prctl, PR_SET_PDEATHSIG, kWakeSignal);
  mask_signals(kAllButWake);
}

// Nothing of the host's stays open here: 0 to 2 become the socket, so that what is passed later
// lands above them. Out of the host's process group, which may be killed as a whole.
void detach(KeeperStart& start) {
  if (start.socket != kSocket) {
    check(start.failure, Step::kKeeper, call(SYS_dup3, start.socket, kSocket, O_CLOEXEC));
  }
  for (int number = 0; number < 3; ++number) {
    check(start.failure, Step::kKeeper, call(SYS_dup3, kSocket, number, O_CLOEXEC));
  }
  check(start.failure, Step::kKeeper, call(kernel::kNrCloseRange, kNull, ~0U, 0));
  check(start.failure, Step::kKeeper,
        call(SYS_openat, AT_FDCWD, address("/dev/null"), O_RDWR | O_CLOEXEC));
  check(start.failure, Step::kKeeper, call(SYS_dup3, kNull, kRuleset, O_CLOEXEC));
  call(SYS_setsid);
  call(SYS_prctl, PR_SET_NAME, address("nono-keeper"), 0, 0, 0);
}

// The scope's own domain, before anything is started: each command's lies inside it.
void enter_scope(KeeperStart& start) {
  const kernel::LandlockRulesetAttr scope{0, 0, kernel::kScopeSignal};
  const long ruleset = call(kernel::kNrLandlockCreateRuleset, address(&scope), sizeof scope, 0);
  check(start.failure, Step::kScope, ruleset);
  const long restricted = call(kernel::kNrLandlockRestrictSelf, ruleset, 0);
  call(SYS_close, ruleset);
  check(start.failure, Step::kScope, restricted);
  // The whole design stands on this: a keeper that could reach its host must never say kill(-1).
  if (call(SYS_kill, start.host_pid, 0) == 0) fail(start.failure, Step::kScopeProof, -EPERM);
}

// A call that has been received is not interrupted by signals where the kernel can do that (Linux 5.19).
long install_listening_filter(const KeeperStart& start) {
  constexpr unsigned long kWaitKillable = 1UL << 5;
  constexpr unsigned long kFlags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const long listener = call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kFlags | kWaitKillable, address(&start.seccomp));
  if (listener != -EINVAL) return listener;
  return call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kFlags, address(&start.seccomp));
}

long send_descriptor(int descriptor) {
  const char byte = 0;
  const struct iovec payload = {const_cast<char*>(&byte), 1};
  alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))] = {};
  auto* header = reinterpret_cast<cmsghdr*>(control);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(header)) = descriptor;
  struct msghdr message = {};
  message.msg_iov = const_cast<struct iovec*>(&payload);
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  return call(SYS_sendmsg, kSocket, address(&message), MSG_NOSIGNAL);
}

// The messenger: shares our memory and descriptors, but not the filter, for it is made before.
void messenger_main(void* argument) {
  auto& start = *static_cast<KeeperStart*>(argument);
  while (start.listener.load() == KeeperStart::kNotYet) {
    call(SYS_futex, address(&start.listener), FUTEX_WAIT, KeeperStart::kNotYet, 0);
  }
  const int listener = start.listener.load();
  start.listener.store(listener < 0 ? -1 : static_cast<int>(send_descriptor(listener)));
  leave(0);
}

// A filter that asks about sendmsg would ask about this one, and nobody could answer yet.
void send_listener_by_messenger(KeeperStart& start, Failure& failure) {
  start.listener.store(KeeperStart::kNotYet);
  int unused = 0;
  const long messenger = kernel::raw::clone(CLONE_VM | CLONE_FILES, start.command_stack, &unused, messenger_main, &start);
  check(failure, Step::kClone, messenger);
  const long listener = install_listening_filter(start);
  start.listener.store(listener < 0 ? -1 : static_cast<int>(listener));
  call(SYS_futex, address(&start.listener), FUTEX_WAKE, 1);
  while (call(SYS_wait4, messenger, 0, __WALL, 0) == -EINTR) {
  }
  check(failure, Step::kSeccomp, listener);
  check(failure, Step::kSeccomp, start.listener.load());
  call(SYS_close, listener);
}

void send_listener(KeeperStart& start, Failure& failure) {
  const long listener = install_listening_filter(start);
  check(failure, Step::kSeccomp, listener);
  check(failure, Step::kSeccomp, send_descriptor(static_cast<int>(listener)));
  call(SYS_close, listener);
}

void install_filter(KeeperStart& start, Failure& failure) {
  check(failure, Step::kNoNewPrivs, call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  if (start.sends_listener && start.asks_to_send) return send_listener_by_messenger(start, failure);
  if (start.sends_listener) return send_listener(start, failure);
  check(failure, Step::kSeccomp,
        call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, address(&start.seccomp)));
}

void confine(KeeperStart& start) {
  Failure& failure = start.failure;
  check(failure, Step::kScope, call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  check(failure, Step::kNoNewPrivs, call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  enter_scope(start);
  install_filter(start, failure);
}

// The filter refuses mounts, so it comes after the view; with a /proc for each command, after that.
void enter_view(KeeperStart& start) {
  const kernel::SetupFailure failure = kernel::make_private_view(start.view);
  if (failure.step != nullptr) fail(start.failure, Step::kView, -failure.error, 0, failure.step);
  start.view_made.store(true);
  if (!start.fresh_proc) install_filter(start, start.failure);
}

// By the kernel, so that no signal can come between.
constexpr unsigned long kTellMemory = CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

int* slot(std::atomic<int>& in_memory) {
  static_assert(sizeof in_memory == sizeof(int));
  return reinterpret_cast<int*>(&in_memory);
}

// CLONE_FS until its request has come: the working directory and umask are the host's of that moment.
void start_command(KeeperStart& start) {
  const long pid = kernel::raw::clone(CLONE_VM | CLONE_FILES | CLONE_FS | kTellMemory | SIGCHLD,
                                      start.command_stack, slot(start.command_in_memory), command_main, &start);
  check(start.failure, Step::kClone, pid);
  start.command_pid = static_cast<int>(pid);
}

// PID 1 of the command's namespace: reaps what is left to it, and takes everything along when it ends.
void init_main(void* argument) {
  auto& start = *static_cast<KeeperStart*>(argument);
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);  // the keeper has one thread
  if (start.fresh_proc) {
    receive_ruleset(start);
    check(start.failure, Step::kDescriptors, call(SYS_unshare, CLONE_FILES));
    Launch& launch = receive_request(start);
    launch.proc.ruleset = kRuleset;
    const kernel::SetupFailure failure = kernel::mount_fresh_proc(launch.proc);
    if (failure.step != nullptr) fail(launch.failure, Step::kView, -failure.error, 0, failure.step);
    install_filter(start, launch.failure);
  }
  start_command(start);
  while (!start.command_ended && !reap(start, 0)) {
  }
  leave(0);
}

void start_init(KeeperStart& start) {
  const unsigned long own_mounts = start.fresh_proc ? CLONE_NEWNS : 0UL;
  const long pid = kernel::raw::clone(CLONE_VM | CLONE_FILES | CLONE_NEWPID | own_mounts | kTellMemory | SIGCHLD,
                                      start.init_stack, slot(start.init_in_memory), init_main, &start);
  check(start.failure, Step::kClone, pid);
  start.init_pid = static_cast<int>(pid);
}

// Waiting in waitid, not for SIGCHLD: the kernel then runs the keeper on the processor that the
// command has just left, instead of waking another one (about 30 us on a virtual machine).
void wait_for_tree(KeeperStart& start) {
  bool empty = false;
  while (!start.command_ended && !empty) empty = reap(start, 0);
  while (!reap(start, WNOHANG)) {
    kill_everything(start);
    if (reap(start, 0)) break;
  }
}

void wait_for_init(KeeperStart& start) {
  siginfo_t info;
  while (call(SYS_waitid, P_ALL, 0, address(&info), WEXITED, 0) == -EINTR) {
  }
  start.init_pid = 0;
}

// One command, from before its request to the end of its tree. The request, if there was one.
Launch* serve(KeeperStart& start) {
  start.command_ended = false;
  start.renew = false;
  mask_signals(kAllSignals);  // the command must not inherit an open mask with our handler
  if (start.private_view) {
    start_init(start);
  } else {
    start_command(start);
  }
  mask_signals(kAllButWake);
  if (start.private_view) {
    wait_for_init(start);
  } else {
    wait_for_tree(start);
  }
  return start.current.exchange(nullptr);
}

}  // namespace

namespace {

// What child_main.h says of KeeperStart::socket.
struct Message {
  Launch* launch = nullptr;
  std::size_t count = 0;
  alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(Launch::descriptors))];

  [[nodiscard]] const int* descriptors() const {
    return reinterpret_cast<const int*>(control + CMSG_LEN(0));
  }
};

void receive(Message& message) {
  struct iovec payload = {&message.launch, sizeof message.launch};
  struct msghdr header;
  header.msg_name = nullptr;
  header.msg_namelen = 0;
  header.msg_iov = &payload;
  header.msg_iovlen = 1;
  header.msg_control = message.control;
  header.msg_controllen = sizeof message.control;
  header.msg_flags = 0;
  if (call(SYS_recvmsg, kSocket, address(&header), MSG_CMSG_CLOEXEC) != sizeof message.launch) leave(0);
  if (header.msg_controllen == 0) return;
  message.count = (reinterpret_cast<const cmsghdr*>(message.control)->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

}  // namespace

// In the keeper's descriptor table, where it stays for later processes.
void receive_ruleset(KeeperStart& start) {
  Message message;
  receive(message);
  if (message.launch != nullptr || message.count != 1) leave(0);
  const int ruleset = message.descriptors()[0];
  check(start.failure, Step::kLandlock, call(SYS_dup3, ruleset, kRuleset, O_CLOEXEC));
  call(SYS_close, ruleset);
  start.has_ruleset.store(true);
}

Launch& receive_request(KeeperStart& start) {
  Message message;
  receive(message);
  if (message.launch == nullptr) {
    start.renew = true;
    leave(0);
  }
  Launch& launch = *message.launch;
  for (std::size_t i = 0; i < message.count; ++i) launch.descriptors[i] = message.descriptors()[i];
  start.current.store(&launch);
  // A request to end that came before `current` was set has woken nobody.
  if (launch.cancel.load()) {
    call(SYS_kill, call(SYS_getpid), SIGKILL);
    leave(0);  // an init is immune to its own signals
  }
  return launch;
}

void keeper_main(void* argument) {
  auto& start = *static_cast<KeeperStart*>(argument);
  start.keeper_pid = static_cast<int>(call(SYS_getpid));
  detach(start);
  take_signals();
  if (start.private_view) {
    enter_view(start);
  } else {
    confine(start);
  }
  for (;;) {
    const Launch* served = serve(start);
    if (served == nullptr && !start.renew) leave(0);
    if (served == nullptr || start.fresh_proc) start.has_ruleset.store(false);
    if (served == nullptr) continue;
    const char done = 1;  // the launch belongs to the host again
    if (call(SYS_sendto, kSocket, address(&done), 1, MSG_NOSIGNAL, 0, 0) != 1) leave(0);
    if (start.once) leave(0);
    call(SYS_sched_yield);  // the host first, where it was woken on this processor
  }
}

}  // namespace nono::launch
