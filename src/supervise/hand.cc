#include "supervise/hand.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "base/text.h"
#include "kernel/landlock.h"
#include "launch/rulesets.h"

namespace nono::supervise {

Result<Fd> ruleset_of(const plan::LandlockRules& rules, const std::vector<plan::LandlockPathRule>& in_proc,
                      int thread) {
  // Which sockets are reached is decided here, not by Landlock, whose rules could not tell (socket_change.h).
  plan::LandlockRules ours = rules;
  ours.handled_fs &= ~std::uint64_t{kernel::kFsResolveUnix};
  for (auto& rule : ours.paths) rule.access &= ~std::uint64_t{kernel::kFsResolveUnix};
  Fd ruleset = NONO_TRY(launch::make_ruleset(ours));
  for (const auto& rule : in_proc) {
    const Fd place(::open(cat("/proc/", thread, "/root", rule.path).c_str(), O_PATH | O_CLOEXEC));
    if (!place.valid() || rule.access == 0) continue;  // closed, then
    if (Status ok = kernel::landlock_add_path_rule(ruleset, place.get(), rule.access); !ok) {
      return tl::unexpected(ok.error());
    }
  }
  return ruleset;
}

bool confine_this_thread(const Fd& ruleset, std::optional<std::uint64_t> kept_capabilities) {
  // A umask and a working directory of its own.
  if (::unshare(CLONE_FS) != 0) return false;
  if (kept_capabilities) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const auto low = static_cast<std::uint32_t>(*kept_capabilities);
    const auto high = static_cast<std::uint32_t>(*kept_capabilities >> 32);
    const std::array<__user_cap_data_struct, 2> data{{{low, low, 0}, {high, high, 0}}};
    // Not through libc, which would do it to all threads.
    if (::syscall(SYS_capset, &header, data.data()) != 0) return false;
  }
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && kernel::landlock_restrict_self(ruleset, 0).has_value();
}

}  // namespace nono::supervise
