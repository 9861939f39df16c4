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

void default_signals() {
  const KernelSigaction plain{};
  for (int signal = 1; signal <= 64; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) {
      call(SYS_rt_sigaction, signal, address(&plain), 0, kSigsetSize);
    }
  }
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
  const long uid = static_cast<long>(launch.uid);
  const long gid = static_cast<long>(launch.gid);
  check(launch, Step::kGroups, call(SYS_setgroups, 0, 0));
  check(launch, Step::kGid, call(SYS_setresgid, gid, gid, gid));
  check(launch, Step::kUid, call(SYS_setresuid, uid, uid, uid));
}

// Ambient first: it would hand capabilities through exec. The bounding set bars a root caller's
// exec from taking everything back; without CAP_SETPCAP it cannot be cut, and no_new_privs stands.
void drop_capabilities(Launch& launch) {
  if (!launch.drop_capabilities) return;
  call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned capability = 0; capability < 64; ++capability) {
    if ((launch.kept_capabilities >> capability) & 1) continue;
    if (call(SYS_prctl, PR_CAPBSET_DROP, capability) == -EINVAL) break;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<std::uint32_t>(launch.kept_capabilities);
  const auto high = static_cast<std::uint32_t>(launch.kept_capabilities >> 32);
  const __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};
  check(launch, Step::kCapabilities, call(SYS_capset, address(&header), address(data)));
}

void command_main(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  call(SYS_setsid);
  default_signals();
  standard_streams(launch);
  close_on_exec(launch);
  change_directory(launch);
  limit(launch);
  change_identity(launch);
  drop_capabilities(launch);
  // After the credentials, whose change would clear it. The keeper has one thread, so this fires
  // when the keeper dies and never before.
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  check(launch, Step::kNoNewPrivs, call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  check(launch, Step::kLandlock, call(kernel::kNrLandlockRestrictSelf, launch.inner_ruleset, 0));
  // Last: the filter refuses some of the calls above.
  check(launch, Step::kSeccomp,
        call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, address(&launch.seccomp)));
  const KernelSigset none = 0;
  call(SYS_rt_sigprocmask, SIG_SETMASK, address(&none), 0, kSigsetSize);
  fail(launch, Step::kExec,
       call(SYS_execve, address(launch.program), address(launch.argv), address(launch.environment)));
}

// --- the keeper ------------------------------------------------------------------------------

bool host_is_gone(const Launch& launch) {
  if (!launch.private_view) return call(SYS_getppid) != launch.host_pid;
  struct pollfd host = {launch.host_pidfd, POLLIN, 0};
  const timespec now{0, 0};
  return call(SYS_ppoll, address(&host), 1, address(&now), 0, kSigsetSize) > 0;
}

// Everything below the keeper has ended: true. Notes the command's own end on the way.
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

// kill(-1) walks all processes under the lock that fork needs, so nothing can fork away from it.
// As PID 1 of its namespace the keeper need only end: the kernel does the same then.
[[noreturn]] void end_tree(Launch& launch) {
  if (launch.private_view) leave(0);
  while (!reap(launch, WNOHANG)) {
    call(SYS_kill, -1, SIGKILL);
    if (reap(launch, 0)) break;
  }
  leave(0);
}

void hold_the_tree(Launch& launch) {
  if (launch.private_view) {
    const kernel::SetupFailure failure = kernel::enter_private_view(launch.view);
    if (failure.step != nullptr) fail(launch, Step::kView, -failure.error, 0, failure.step);
    return;
  }
  check(launch, Step::kNoNewPrivs, call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  check(launch, Step::kNoNewPrivs, call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  check(launch, Step::kScope, call(kernel::kNrLandlockRestrictSelf, launch.outer_ruleset, 0));
  // The whole design stands on this: a keeper that could reach its host must never say kill(-1).
  if (call(SYS_kill, launch.host_pid, 0) == 0) fail(launch, Step::kScopeProof, -EPERM);
}

}  // namespace

void keeper_main(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  // The host may ignore SIGCHLD, which would reap the command behind our back.
  const KernelSigaction plain{};
  call(SYS_rt_sigaction, SIGCHLD, address(&plain), 0, kSigsetSize);
  // Fires when the thread that made us ends, again when the thread that inherited us ends, and so
  // on to the process: each time `host_is_gone` tells which of the two it was.
  call(SYS_prctl, PR_SET_PDEATHSIG, kWakeSignal);
  if (host_is_gone(launch)) fail(launch, Step::kHostGone, -ESRCH);
  hold_the_tree(launch);

  // A change of identity is waited for: the host must know when its memory is shared no more.
  const unsigned long wait = launch.change_identity ? CLONE_VFORK : 0;
  const long pid = kernel::raw::clone(CLONE_VM | wait | SIGCHLD, launch.command_stack, nullptr,
                                      command_main, &launch);
  launch.past_exec.store(true);
  if (pid < 0) fail(launch, Step::kClone, pid);
  launch.command_pid = static_cast<int>(pid);

  // The signals are blocked since before the clone and taken here one by one: none can be missed.
  const KernelSigset awaited = mask_of(SIGCHLD) | mask_of(kWakeSignal);
  // A dying host sends its last signal just before its pidfd says so: look again a few times.
  constexpr int kLooks = 50;
  const timespec pause{0, 1'000'000};
  int looks = 0;
  for (;;) {
    const long signal = call(SYS_rt_sigtimedwait, address(&awaited), 0,
                             looks > 0 ? address(&pause) : 0, kSigsetSize);
    if (signal == SIGCHLD) {
      const bool empty = reap(launch, WNOHANG);
      if (launch.finished.load()) {
        if (empty) leave(0);
        end_tree(launch);
      }
      continue;
    }
    if (signal == kWakeSignal && launch.private_view) looks = kLooks;
    else if (looks > 0) --looks;
    if (launch.cancel.load() || host_is_gone(launch)) end_tree(launch);
  }
}

}  // namespace nono::launch
