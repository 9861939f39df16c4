#include "launch/apply.h"

#include <dirent.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "base/text.h"
#include "kernel/landlock.h"
#include "launch/keeper.h"
#include "launch/rulesets.h"

namespace nono::launch {
namespace {

tl::unexpected<Error> refuse(std::string what, std::string hint = {}) {
  return fail(ErrorKind::kSandboxInit, cat("Sandbox initialization failed: ", what), std::move(hint));
}

Result<int> count_threads() {
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> tasks(::opendir("/proc/self/task"));
  if (tasks == nullptr) {
    return refuse(cat("cannot count this process's threads: /proc/self/task: ", os_error(errno)));
  }
  int count = 0;
  while (const dirent* entry = ::readdir(tasks.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count;
}

Status drop_capabilities(std::uint64_t kept) {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned capability = 0; capability < 64; ++capability) {
    if ((kept >> capability) & 1) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno == EINVAL) break;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<std::uint32_t>(kept);
  const auto high = static_cast<std::uint32_t>(kept >> 32);
  const std::array<__user_cap_data_struct, 2> data{{{low, low, 0}, {high, high, 0}}};
  if (::syscall(SYS_capset, &header, data.data()) != 0) return refuse(cat("capset: ", os_error(errno)));
  return {};
}

}  // namespace

Result<Applied> apply(const plan::Plan& plan) {
  Keeper::discard_kept();  // they are not bound by what follows
  const int threads = NONO_TRY(count_threads());
  const bool synchronises = plan.facts.landlock_abi >= 8;
  if (threads > 1 && !synchronises) {
    return refuse(cat("this process has ", threads,
                      " threads, and this kernel's Landlock binds only the one that asks"),
                  "Call apply() before any thread starts, run the work with sandboxed_exec, or use "
                  "Linux 7.0 or later.");
  }
  if (threads > 1 && plan.facts.capabilities != plan.kept_capabilities) {
    return refuse("a process with threads cannot drop the capabilities of all of them",
                  "Call apply() before any thread starts, or drop capabilities first.");
  }
  for (const auto& grant : plan.grants) {
    if (Status same = capability::check_unchanged(grant); !same) return tl::unexpected(same.error());
  }
  const Fd ruleset = NONO_TRY(make_ruleset(plan.landlock));
  if (plan.facts.capabilities != 0) {
    if (Status ok = drop_capabilities(plan.kept_capabilities); !ok) return tl::unexpected(ok.error());
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refuse(cat("prctl: ", os_error(errno)));
  const std::uint32_t flags = threads > 1 ? kernel::kLandlockRestrictSelfTsync : 0;
  if (Status ok = kernel::landlock_restrict_self(ruleset, flags); !ok) return tl::unexpected(ok.error());
  const struct {
    unsigned short length;
    const plan::SockFilter* instructions;
  } program{static_cast<unsigned short>(plan.seccomp_program->size()), plan.seccomp_program->data()};
  // TSYNC is right with one thread too: a thread that started meanwhile is bound or this fails.
  const long filtered = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  if (filtered > 0) return refuse(cat("seccomp: thread ", filtered, " could not be bound"));
  if (filtered < 0) return refuse(cat("seccomp: ", os_error(errno)));
  return Applied{threads};
}

}  // namespace nono::launch
