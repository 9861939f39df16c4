// The keeper and the init. Runs in the host's memory: system calls only.
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <utility>

#include "kernel/uapi.h"
#include "launch/child_steps.h"

namespace nono::launch {
namespace {

bool host_is_gone(const KeeperStart& start) { return call(SYS_getppid) != start.host_pid; }

// Waits for one child, or with WNOHANG takes those that have ended. True when there is none left.
// Notes the command's own end on the way.
bool reap(Launch& launch, int flags) {
  for (;;) {
    siginfo_t info;
    info.si_pid = 0;
    struct rusage usage;
    const long r = call(SYS_waitid, P_ALL, 0, address(&info), WEXITED | flags, address(&usage));
    if (r == -ECHILD) return true;
    if (r < 0 || info.si_pid == 0) return false;
    if (info.si_pid == launch.command_pid && !launch.finished.load()) {
      launch.exit_code_kind = info.si_code;
      launch.exit_status = info.si_status;
      launch.usage = usage;
      launch.finished.store(true);
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

#if defined(__x86_64__)
constexpr unsigned long kSaRestorer = 0x04000000;
[[gnu::naked]] void restore() { asm volatile("mov $15, %eax\n\tsyscall"); }
#else
constexpr unsigned long kSaRestorer = 0;  // the kernel's vDSO has one
void restore() {}
#endif

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

void install_filter(KeeperStart& start, Failure& failure) {
  check(failure, Step::kNoNewPrivs, call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
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

// The filter refuses mounts, so it comes after the view; a command with a /proc of its own mounts
// that first and brings its own filter.
void enter_view(KeeperStart& start, const Launch& launch) {
  const kernel::SetupFailure failure = kernel::make_private_view(launch.view);
  if (failure.step != nullptr) fail(start.failure, Step::kView, -failure.error, 0, failure.step);
  if (!launch.fresh_proc) install_filter(start, start.failure);
}

// A request, or the end of the host.
Launch& receive() {
  Launch* launch = nullptr;
  struct iovec payload = {&launch, sizeof launch};
  alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(Launch::descriptors))];
  for (;;) {
    struct msghdr message;
    message.msg_name = nullptr;
    message.msg_namelen = 0;
    message.msg_iov = &payload;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    message.msg_flags = 0;
    const long r = call(SYS_recvmsg, kSocket, address(&message), MSG_CMSG_CLOEXEC);
    if (r == -EINTR) continue;
    if (r != sizeof launch) leave(0);
    const auto* header = reinterpret_cast<const cmsghdr*>(control);
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const int* passed = reinterpret_cast<const int*>(control + CMSG_LEN(0));
    for (std::size_t i = 0; i < count; ++i) launch->descriptors[i] = passed[i];
    return *launch;
  }
}

void start_command(KeeperStart& start, Launch& launch) {
  // A change of identity is waited for: the host must know when its memory is shared no more.
  const unsigned long wait = launch.change_identity ? CLONE_VFORK : 0;
  const long pid = kernel::raw::clone(CLONE_VM | wait | SIGCHLD, start.command_stack, nullptr,
                                      command_main, &launch);
  launch.past_exec.store(true);
  if (pid < 0) note(launch.failure, Step::kClone, pid);
  launch.command_pid = static_cast<int>(pid);
}

// PID 1 of the command's namespace: reaps what is left to it, and takes everything along when it ends.
void init_main(void* argument) {
  auto& start = *static_cast<KeeperStart*>(argument);
  Launch& launch = *start.starting;
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);  // the keeper has one thread
  if (launch.fresh_proc) {
    launch.proc.ruleset = launch.descriptors[kRuleset];
    const kernel::SetupFailure failure = kernel::mount_fresh_proc(launch.proc);
    if (failure.step != nullptr) fail(launch.failure, Step::kView, -failure.error, 0, failure.step);
    install_filter(start, launch.failure);
  }
  start_command(start, launch);
  while (!launch.finished.load() && !reap(launch, 0)) {
  }
  leave(0);
}

// A fresh /proc is a mount of this command's own.
void start_init(KeeperStart& start, Launch& launch) {
  start.starting = &launch;
  const unsigned long flags = CLONE_VM | CLONE_NEWPID | (launch.fresh_proc ? CLONE_NEWNS : 0UL) | SIGCHLD;
  const long pid = kernel::raw::clone(flags, start.init_stack, nullptr, init_main, &start);
  if (pid < 0) note(launch.failure, Step::kClone, pid);
  start.init_pid = pid < 0 ? 0 : static_cast<int>(pid);
}

// Waiting in waitid, not for SIGCHLD: the kernel then runs the keeper on the processor that the
// command has just left, instead of waking another one (about 30 us on a virtual machine).
void wait_for_tree(KeeperStart& start, Launch& launch) {
  bool empty = false;
  while (!launch.finished.load() && !empty) empty = reap(launch, 0);
  while (!reap(launch, WNOHANG)) {
    kill_everything(start);
    if (reap(launch, 0)) break;
  }
}

void wait_for_init(KeeperStart& start) {
  siginfo_t info;
  while (start.init_pid > 0 && call(SYS_waitid, P_ALL, 0, address(&info), WEXITED, 0) == -EINTR) {
  }
  start.init_pid = 0;
}

void serve(KeeperStart& start, Launch& launch) {
  mask_signals(kAllSignals);  // the command must not inherit an open mask with our handler
  start.current.store(&launch);
  if (start.private_view) {
    start_init(start, launch);
  } else {
    start_command(start, launch);
  }
  mask_signals(kAllButWake);
  // A request to end that came before `current` was set has woken nobody.
  if (launch.cancel.load()) kill_everything(start);
  if (start.private_view) {
    wait_for_init(start);
  } else {
    wait_for_tree(start, launch);
  }
  start.current.store(nullptr);
}

}  // namespace

void keeper_main(void* argument) {
  auto& start = *static_cast<KeeperStart*>(argument);
  detach(start);
  take_signals();
  if (!start.private_view) confine(start);
  for (bool viewed = false;;) {
    Launch& launch = receive();
    if (start.private_view && !std::exchange(viewed, true)) enter_view(start, launch);
    serve(start, launch);
    // The launch belongs to the host again once the byte is out.
    call(kernel::kNrCloseRange, kNull + 1, ~0U, 0);
    const char done = 1;
    if (call(SYS_sendto, kSocket, address(&done), 1, MSG_NOSIGNAL, 0, 0) != 1) leave(0);
  }
}

}  // namespace nono::launch
