#include "supervise/hand.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "capability/path_resolution.h"
#include "kernel/landlock.h"
#include "launch/rulesets.h"

namespace nono::supervise {

Rules::Rules(const plan::Plan& plan) : landlock(plan.landlock) {
  // Which sockets are reached is decided here, not by Landlock, whose rules could not tell (socket_change.h).
  landlock.handled_fs &= ~std::uint64_t{kernel::kFsResolveUnix};
  for (auto& rule : landlock.paths) rule.access &= ~std::uint64_t{kernel::kFsResolveUnix};
  // The host's last thread may be one of these, and its end is a signal to the keeper, which lies outside.
  landlock.scoped &= ~std::uint64_t{kernel::kScopeSignal};
  if (plan.view) in_proc = plan.view->in_proc;
  for (const auto& grant : plan.unix_sockets) {
    if (grant.mode != capability::SocketMode::kConnectBind) continue;
    const bool is_file = grant.scope == capability::SocketScope::kFile;
    sockets_in.push_back(is_file ? capability::parent_of(grant.resolved) : grant.resolved);
  }
}

std::optional<std::uint64_t> capabilities_to_keep(const plan::Plan& plan) {
  constexpr std::uint64_t kToChangeUser = std::uint64_t{1} << CAP_SETUID | std::uint64_t{1} << CAP_SETGID;
  if (plan.facts.capabilities == 0) return std::nullopt;
  return plan.kept_capabilities | (plan.facts.capabilities & kToChangeUser);
}

Result<Fd> ruleset_of(const Rules& rules, int thread) {
  Fd ruleset = NONO_TRY(launch::make_ruleset(rules.landlock));
  const auto add = [&](const std::string& path, std::uint64_t access) -> Status {
    const Fd place(::open(cat("/proc/", thread, "/root", path).c_str(), O_PATH | O_CLOEXEC));
    if (!place.valid() || access == 0) return {};  // closed, then
    return kernel::landlock_add_path_rule(ruleset, place.get(), access);
  };
  for (const auto& rule : rules.in_proc) {
    if (Status ok = add(rule.path, rule.access); !ok) return tl::unexpected(ok.error());
  }
  for (const auto& path : rules.sockets_in) {
    if (Status ok = add(path, kernel::kFsMakeSock); !ok) return tl::unexpected(ok.error());
  }
  return ruleset;
}

bool leave_descriptors(std::vector<int> kept) {
  const auto close_all = [](int from, unsigned to, unsigned flags) {
    const auto first = static_cast<unsigned>(from);
    return first > to || ::syscall(kernel::kNrCloseRange, first, to, flags) == 0;
  };
  std::ranges::sort(kept);
  if (!close_all(kept.back() + 1, ~0U, kernel::kCloseRangeUnshare)) return false;
  int from = STDERR_FILENO + 1;
  for (const int descriptor : kept) {
    if (!close_all(from, static_cast<unsigned>(descriptor) - 1, 0)) return false;
    from = descriptor + 1;
  }
  return true;
}

bool set_this_thread_apart(std::optional<std::uint64_t> kept_capabilities) {
  if (::unshare(CLONE_FS) != 0) return false;
  if (!kept_capabilities) return true;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<std::uint32_t>(*kept_capabilities);
  const auto high = static_cast<std::uint32_t>(*kept_capabilities >> 32);
  const std::array<__user_cap_data_struct, 2> data{{{low, low, 0}, {high, high, 0}}};
  // Not through libc, which would do it to all threads.
  return ::syscall(SYS_capset, &header, data.data()) == 0;
}

bool confine_this_thread(int ruleset, std::optional<std::uint64_t> kept_capabilities) {
  return set_this_thread_apart(kept_capabilities) && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::syscall(kernel::kNrLandlockRestrictSelf, ruleset, 0) == 0;
}

}  // namespace nono::supervise
