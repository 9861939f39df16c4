#include "kernel/private_view.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <mutex>

#include "base/text.h"
#include "kernel/raw.h"
#include "kernel/signals.h"

namespace nono::kernel {
namespace {

constexpr std::uint64_t kCapSysAdmin = 1ULL << 21;
constexpr std::size_t kStackSize = 64 * 1024;

struct Probe {
  PrivateViewSetup setup;
  SetupFailure failure;
};

void probe_main(void* argument) {
  auto* probe = static_cast<Probe*>(argument);
  probe->failure = make_private_view(probe->setup);
  if (probe->failure.step == nullptr) probe->failure = mount_fresh_proc({});
  raw::call(SYS_exit_group, 0);
}

std::string try_view(bool user_namespace) {
  Probe probe;
  const std::string uid_map = cat(::geteuid(), " ", ::geteuid(), " 1");
  const std::string gid_map = cat(::getegid(), " ", ::getegid(), " 1");
  probe.setup.user_namespace = user_namespace;
  probe.setup.uid_map = uid_map.data();
  probe.setup.uid_map_size = uid_map.size();
  probe.setup.gid_map = gid_map.data();
  probe.setup.gid_map_size = gid_map.size();
  const auto stack = std::make_unique<std::byte[]>(kStackSize);
  void* top = stack.get() + kStackSize;
  // No CLONE_FILES: what the probe leaves open must not land in the host's table. CLONE_VFORK: the
  // answer is in this frame. Exit signal 0: no SIGCHLD, and no waitpid(-1) of the host takes it.
  long pid = 0;
  {
    const BlockAllSignals blocked;
    pid = raw::clone(CLONE_VM | CLONE_VFORK | CLONE_NEWPID | private_view_flags(user_namespace), top, nullptr,
                     probe_main, &probe);
  }
  if (pid < 0) return cat("clone: ", os_error(static_cast<int>(-pid)));
  while (::waitpid(static_cast<pid_t>(pid), nullptr, __WALL) < 0 && errno == EINTR) {
  }
  if (probe.failure.step == nullptr) return {};
  return cat(probe.failure.step, ": ", os_error(probe.failure.error));
}

PrivateView probe_view(std::uint64_t capabilities) {
  PrivateView view;
  if ((capabilities & kCapSysAdmin) != 0) {
    view.error = try_view(false);
    view.possible = view.error.empty();
    if (view.possible) return view;
  }
  view.error = try_view(true);
  view.possible = view.error.empty();
  view.needs_user_namespace = view.possible;
  return view;
}

}  // namespace

std::uint64_t private_view_flags(bool user_namespace) {
  return CLONE_NEWNS | (user_namespace ? CLONE_NEWUSER : 0U);
}

const PrivateView& private_view(std::uint64_t capabilities) {
  // A process may drop its capabilities after the first question: two answers.
  static std::once_flag once[2];
  static PrivateView answers[2];
  const std::size_t which = (capabilities & kCapSysAdmin) != 0 ? 1 : 0;
  std::call_once(once[which], [&] { answers[which] = probe_view(capabilities); });
  return answers[which];
}

}  // namespace nono::kernel
