#include "launch/child_main.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <poll.h>
#include <sched.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>

#include "kernel/raw.h"
#include "kernel/uapi.h"

namespace nono::launch {
namespace {

using kernel::raw::address;
using kernel::raw::call;

// The kernel's own layouts; libc's are larger.
using KernelSigset = unsigned long;
constexpr long kSigsetSize = sizeof(KernelSigset);
constexpr KernelSigset mask_of(int signal) { return 1UL << (signal - 1); }
struct KernelSigaction {
  void* handler = nullptr;
  unsigned long flags = 0;
  void* restorer = nullptr;
  KernelSigset mask = 0;
};

[[noreturn]] void leave(int code) {
  for (;;) call(SYS_exit_group, code);
}

[[noreturn]] void fail(Launch& launch, Step step, long error, std::size_t index = 0,
                       const char* detail = nullptr) {
  launch.failed_errno = static_cast<int>(-error);
  launch.failed_index = index;
  launch.failed_detail = detail;
  launch.failed_step.store(step);
  leave(126);
}

void check(Launch& launch, Step step, long result) {
  if (result < 0) fail(launch, step, result);
}

// --- the command -----------------------------------------------------------------------------

// exec resets handlers by itself, but keeps what is ignored.
void default_signals(const Launch& launch) {
  const KernelSigaction plain{};
  for (int signal = 1; signal <= 64; ++signal) {
    if ((launch.ignored_signals & mask_of(signal)) != 0) {
      call(SYS_rt_sigaction, signal, address(&plain), 0, kSigsetSize);
    }
  }
  call(SYS_rt_sigaction, kWakeSignal, address(&plain), 0, kSigsetSize);  // the keeper's handler
}

// The sources lie above 2 (kernel/fd_table.h), so no dup can overwrite a later source.
void standard_streams(Launch& launch) {
  for (int number = 0; number < 3; ++number) {
    check(launch, Step::kStdio, call(SYS_dup3, launch.standard[number], number, 0));
  }
}

void close_on_exec(Launch& launch) {
  check(launch, Step::kDescriptors,
        call(kernel::kNrCloseRange, 3, ~0U, kernel::kCloseRangeCloexec));
  for (std::size_t i = 0; i < launch.keep_count; ++i) {
    check(launch, Step::kDescriptors, call(SYS_fcntl, launch.keep[i], F_SETFD, 0));
  }
}

// With a view the held descriptor belongs to the host's mounts: go there by name and compare.
void change_directory(Launch& launch) {
  if (!launch.private_view) {
    check(launch, Step::kDirectory, call(SYS_fchdir, launch.directory));
    return;
  }
  const auto& wanted = launch.directory_in_view;
  check(launch, Step::kDirectory, call(SYS_chdir, address(wanted.path)));
  struct statx st;
  check(launch, Step::kDirectory, call(SYS_statx, AT_FDCWD, address("."), 0, STATX_INO, address(&st)));
  if (st.stx_ino != wanted.inode || makedev(st.stx_dev_major, st.stx_dev_minor) != wanted.device) {
    fail(launch, Step::kDirectory, -ESTALE);
  }
}

void limit(Launch& launch) {
  for (std::size_t i = 0; i < launch.limit_count; ++i) {
    const struct {
      std::uint64_t soft, hard;
    } value{launch.limits[i].value, launch.limits[i].value};
    const long r = call(SYS_prlimit64, 0, launch.limits[i].resource, address(&value), 0);
    if (r < 0) fail(launch, Step::kLimit, r, i);
  }
}

void change_identity(Launch& launch) {
  if (!launch.change_identity) return;
  for (unsigned capability = 0; capability < 64; ++capability) {  // needs CAP_SETPCAP, still held
    if (call(SYS_prctl, PR_CAPBSET_DROP, capability) < 0) break;
  }
  const long uid = static_cast<long>(launch.uid);
  const long gid = static_cast<long>(launch.gid);
  check(launch, Step::kGroups, call(SYS_setgroups, 0, 0));
  check(launch, Step::kGid, call(SYS_setresgid, gid, gid, gid));
  check(launch, Step::kUid, call(SYS_setresuid, uid, uid, uid));
}

// Ambient first: it would hand capabilities through exec. What uid 0 would take back from the
// bounding set at its exec, no_new_privs cuts down to what it held before.
void drop_capabilities(Launch& launch) {
  if (!launch.drop_capabilities) return;
  call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<std::uint32_t>(launch.kept_capabilities);
  const auto high = static_cast<std::uint32_t>(launch.kept_capabilities >> 32);
  const __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};
  check(launch, Step::kCapabilities, call(SYS_capset, address(&header), address(data)));
}

void command_main(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  call(SYS_setsid);
  default_signals(launch);
  standard_streams(launch);
  close_on_exec(launch);
  change_directory(launch);
  limit(launch);
  change_identity(launch);
  drop_capabilities(launch);
  // After the credentials, whose change would clear it. The keeper has one thread, so this fires
  // when the keeper dies and never before.
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  // no_new_privs and the seccomp filter are inherited from the keeper.
  check(launch, Step::kLandlock, call(kernel::kNrLandlockRestrictSelf, launch.inner_ruleset, 0));
  const KernelSigset none = 0;
  call(SYS_rt_sigprocmask, SIG_SETMASK, address(&none), 0, kSigsetSize);
  fail(launch, Step::kExec,
       call(SYS_execve, address(launch.program), address(launch.argv), address(launch.environment)));
}

// --- the keeper ------------------------------------------------------------------------------

// In a PID namespace the host has no number. A dying host sends its last signal just before its
// pidfd says so: look for a while.
bool host_is_gone(const Launch& launch) {
  if (!launch.private_view) return call(SYS_getppid) != launch.host_pid;
  struct pollfd host = {launch.host_pidfd, POLLIN, 0};
  const timespec a_while{0, 50'000'000};
  return call(SYS_ppoll, address(&host), 1, address(&a_while), 0, kSigsetSize) > 0;
}

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

void kill_everything(const Launch& launch) {
  if (launch.private_view) leave(0);
  call(SYS_kill, -1, SIGKILL);
}

// kill(-1) walks all processes under the lock that fork needs, so nothing can fork away from it.
// As PID 1 of its namespace the keeper need only end: the kernel does the same then.
[[noreturn]] void end_tree(Launch& launch) {
  while (!reap(launch, WNOHANG)) {
    kill_everything(launch);
    if (reap(launch, 0)) break;
  }
  leave(0);
}

// The handler of kWakeSignal: the host asks for the end, or a thread of it has ended and it may be
// gone as a whole. The keeper's stack tells whose keeper this is (child_main.h).
void on_wake(int) {
  const auto stack = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) & ~(kStackSize - 1);
  const Launch& launch = **reinterpret_cast<Launch**>(stack);
  if (launch.cancel.load() || host_is_gone(launch)) kill_everything(launch);
}

#if defined(__x86_64__)
constexpr unsigned long kSaRestorer = 0x04000000;
[[gnu::naked]] void restore() { asm volatile("mov $15, %eax\n\tsyscall"); }
#else
constexpr unsigned long kSaRestorer = 0;  // the kernel's vDSO has one
void restore() {}
#endif

void take_signals() {
  const KernelSigaction plain{};
  // The host may ignore SIGCHLD, which would reap the command behind our back.
  call(SYS_rt_sigaction, SIGCHLD, address(&plain), 0, kSigsetSize);
  KernelSigaction wake{};
  wake.handler = reinterpret_cast<void*>(on_wake);
  wake.flags = kSaRestorer;
  wake.restorer = reinterpret_cast<void*>(restore);
  call(SYS_rt_sigaction, kWakeSignal, address(&wake), 0, kSigsetSize);
  // Fires when the thread that made us ends, again when the thread that inherited us ends, and so
  // on to the process: each time `host_is_gone` tells which of the two it was.
  call(SYS_prctl, PR_SET_PDEATHSIG, kWakeSignal);
}

// Until the launching thread has prepared everything: most often it already has.
void wait_for_ready(Launch& launch) {
  constexpr int kSpins = 200;
  constexpr long kFutexWaitPrivate = 0 | 128;
  for (int spins = 0; launch.ready.load() == Launch::kNotYet; ++spins) {
    if (spins < kSpins) continue;
    launch.waits_for_ready.store(true);
    const timespec look_again{0, 100'000'000};
    call(SYS_futex, address(&launch.ready), kFutexWaitPrivate, Launch::kNotYet, address(&look_again));
    if (!launch.private_view && host_is_gone(launch)) leave(0);
  }
  if (launch.ready.load() == Launch::kAbandon) leave(0);
}

// The scope's own domain, before anything else is started: the command's lies inside it.
void enter_scope(Launch& launch) {
  const kernel::LandlockRulesetAttr scope{0, 0, kernel::kScopeSignal};
  const long ruleset =
      call(kernel::kNrLandlockCreateRuleset, address(&scope), sizeof scope, 0);
  check(launch, Step::kScope, ruleset);
  const long restricted = call(kernel::kNrLandlockRestrictSelf, ruleset, 0);
  call(SYS_close, ruleset);
  check(launch, Step::kScope, restricted);
  // The whole design stands on this: a keeper that could reach its host must never say kill(-1).
  if (call(SYS_kill, launch.host_pid, 0) == 0) fail(launch, Step::kScopeProof, -EPERM);
}

void confine(Launch& launch) {
  check(launch, Step::kNoNewPrivs, call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  if (!launch.private_view) {
    check(launch, Step::kScope, call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    enter_scope(launch);
  }
  check(launch, Step::kSeccomp,
        call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, address(&launch.seccomp)));
}

// The filter, which the command inherits, refuses mounts: a view comes before it.
void hold_the_tree(Launch& launch) {
  if (!launch.private_view) {
    confine(launch);
    wait_for_ready(launch);
    return;
  }
  wait_for_ready(launch);
  const kernel::SetupFailure failure = kernel::enter_private_view(launch.view);
  if (failure.step != nullptr) fail(launch, Step::kView, -failure.error, 0, failure.step);
  confine(launch);
}

}  // namespace

void keeper_main(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  take_signals();
  hold_the_tree(launch);
  // The host may have ended before its death could be noticed.
  if (!launch.private_view && host_is_gone(launch)) fail(launch, Step::kHostGone, -ESRCH);

  // A change of identity is waited for: the host must know when its memory is shared no more.
  const unsigned long wait = launch.change_identity ? CLONE_VFORK : 0;
  const long pid = kernel::raw::clone(CLONE_VM | wait | SIGCHLD, launch.command_stack, nullptr,
                                      command_main, &launch);
  launch.past_exec.store(true);
  if (pid < 0) fail(launch, Step::kClone, pid);
  launch.command_pid = static_cast<int>(pid);

  // From here on `on_wake` may run at any instruction; a request that came earlier is pending.
  const KernelSigset all_but_wake = ~mask_of(kWakeSignal);
  call(SYS_rt_sigprocmask, SIG_SETMASK, address(&all_but_wake), 0, kSigsetSize);
  // Waiting in waitid, not for SIGCHLD: the kernel then runs the keeper on the processor that the
  // command has just left, instead of waking another one (about 30 us on a virtual machine).
  while (!launch.finished.load()) {
    if (reap(launch, 0)) break;
  }
  end_tree(launch);
}

}  // namespace nono::launch
