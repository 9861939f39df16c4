// The command, from its clone to its exec. Runs in the host's memory: system calls only.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/stat.h>
#include <sched.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <cerrno>

#include "kernel/uapi.h"
#include "launch/child_steps.h"

namespace nono::launch {
namespace {

// Everything but 0, 1, 2 closes at exec. What was passed lies above kSocket, so no dup overwrites
// a later source; kept descriptors first move above all the numbers they must end up at.
void descriptors(Launch& launch) {
  if (launch.null_input) launch.descriptors[kStdin] = kNull;
  for (int number = 0; number < 3; ++number) {
    check(launch.failure, Step::kStdio, call(SYS_dup3, launch.descriptors[number], number, 0));
  }
  check(launch.failure, Step::kDescriptors,
        call(kernel::kNrCloseRange, 3, ~0U, kernel::kCloseRangeCloexec));
  int highest = kNull;
  for (std::size_t i = 0; i < launch.kept_count; ++i) {
    if (launch.kept_numbers[i] > highest) highest = launch.kept_numbers[i];
  }
  for (std::size_t i = 0; i < launch.kept_count; ++i) {
    int& fd = launch.descriptors[kFirstKept + i];
    const long moved = call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, highest + 1);
    check(launch.failure, Step::kDescriptors, moved);
    fd = static_cast<int>(moved);
  }
  // The directory is still needed: out of the way as well.
  if (launch.kept_count != 0) {
    const long moved = call(SYS_fcntl, launch.descriptors[kDirectory], F_DUPFD_CLOEXEC, highest + 1);
    check(launch.failure, Step::kDescriptors, moved);
    launch.descriptors[kDirectory] = static_cast<int>(moved);
  }
  for (std::size_t i = 0; i < launch.kept_count; ++i) {
    check(launch.failure, Step::kDescriptors,
          call(SYS_dup3, launch.descriptors[kFirstKept + i], launch.kept_numbers[i], 0));
  }
}

// With a view the held descriptor belongs to the host's mounts: go there by name and compare.
void change_directory(Launch& launch) {
  Failure& failure = launch.failure;
  check(failure, Step::kDirectory, call(SYS_unshare, CLONE_FS));
  const auto& wanted = launch.directory_in_view;
  if (wanted.path == nullptr) {
    check(failure, Step::kDirectory, call(SYS_fchdir, launch.descriptors[kDirectory]));
    return;
  }
  check(failure, Step::kDirectory, call(SYS_chdir, address(wanted.path)));
  struct statx st;
  check(failure, Step::kDirectory, call(SYS_statx, AT_FDCWD, address("."), 0, STATX_INO, address(&st)));
  if (st.stx_ino != wanted.inode || makedev(st.stx_dev_major, st.stx_dev_minor) != wanted.device) {
    fail(failure, Step::kDirectory, -ESTALE);
  }
}

void limit(Launch& launch) {
  for (std::size_t i = 0; i < launch.limit_count; ++i) {
    const struct {
      std::uint64_t soft, hard;
    } value{launch.limits[i].value, launch.limits[i].value};
    const long r = call(SYS_prlimit64, 0, launch.limits[i].resource, address(&value), 0);
    if (r < 0) fail(launch.failure, Step::kLimit, r, i);
  }
}

void change_identity(Launch& launch) {
  if (!launch.change_identity) return;
  for (unsigned capability = 0; capability < 64; ++capability) {  // needs CAP_SETPCAP, still held
    if (call(SYS_prctl, PR_CAPBSET_DROP, capability) < 0) break;
  }
  const long uid = static_cast<long>(launch.uid);
  const long gid = static_cast<long>(launch.gid);
  check(launch.failure, Step::kGroups, call(SYS_setgroups, 0, 0));
  check(launch.failure, Step::kGid, call(SYS_setresgid, gid, gid, gid));
  check(launch.failure, Step::kUid, call(SYS_setresuid, uid, uid, uid));
}

// Nothing inheritable, so the kernel clears the ambient ones too, which exec would hand on. What uid 0
// would take back from the bounding set at its exec, no_new_privs cuts down to what it held before.
void drop_capabilities(Launch& launch) {
  if (!launch.drop_capabilities) return;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<std::uint32_t>(launch.kept_capabilities);
  const auto high = static_cast<std::uint32_t>(launch.kept_capabilities >> 32);
  const __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};  // effective, permitted, inheritable
  check(launch.failure, Step::kCapabilities, call(SYS_capset, address(&header), address(data)));
}

// The keeper has one thread, so this fires when the keeper dies and never before.
void end_with_keeper(const KeeperStart& start) {
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (!start.private_view && call(SYS_getppid) != start.keeper_pid) leave(0);
}

// Open already, as a rule. If the host ends instead, the keeper ends this process.
void wait_at_gate(const Launch& launch) {
  constexpr int kLooks = 20'000;
  constexpr int kLooksForYield = 100;
  const timespec pause{0, 50'000};
  for (int looks = 1; launch.gate.load() == Launch::kShut; ++looks) {
    if (looks >= kLooks) {
      call(SYS_nanosleep, address(&pause), 0);
    } else if (looks % kLooksForYield == 0) {
      call(SYS_sched_yield);
    } else {
      kernel::raw::relax();
    }
  }
  if (launch.gate.load() == Launch::kAbandon) leave(0);
}

}  // namespace

void command_main(void* argument) {
  auto& start = *static_cast<KeeperStart*>(argument);
  // Before the request. A process group of its own, in the keeper's session, which has no terminal
  // and whose leader the command is not: it can get none. A session of its own would cost a scheduler
  // group each time.
  call(SYS_setpgid, 0, 0);
  const KernelSigaction plain{};  // instead of the keeper's handler
  call(SYS_rt_sigaction, kWakeSignal, address(&plain), 0, kSigsetSize);
  end_with_keeper(start);
  if (!start.has_ruleset.load()) receive_ruleset(start);
  // no_new_privs and the seccomp filter are inherited from the keeper. None of the later steps needs
  // what this takes away.
  check(start.failure, Step::kLandlock, call(kernel::kNrLandlockRestrictSelf, kRuleset, 0));
  // So that the command's streams are nobody else's.
  check(start.failure, Step::kDescriptors, call(SYS_unshare, CLONE_FILES));

  Launch& launch = start.fresh_proc ? *start.current.load() : receive_request(start);
  launch.received.store(true);
  descriptors(launch);
  change_directory(launch);
  limit(launch);
  change_identity(launch);
  drop_capabilities(launch);
  if (launch.change_identity) end_with_keeper(start);  // another uid has cleared it
  wait_at_gate(launch);
  mask_signals(0);
  fail(launch.failure, Step::kExec,
       call(SYS_execve, address(launch.program), address(launch.argv), address(launch.environment)));
}

}  // namespace nono::launch
