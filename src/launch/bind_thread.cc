// System calls only.
#include "launch/bind_thread.h"

#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cerrno>

#include "kernel/raw.h"
#include "kernel/uapi.h"

namespace nono::launch {
namespace {

using kernel::raw::address;
using kernel::raw::call;

long failed(BindStep step, long result) { return bind_failure(step, -result); }

long refuse_new_privileges() {
  const long set = call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return set < 0 ? failed(BindStep::kNoNewPrivs, set) : 0;
}

// Permitted, effective and inheritable become the same; ambient is cleared with inheritable.
long drop_capabilities(const Binding& binding) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (const long got = call(SYS_capget, address(&header), address(data)); got < 0) {
    return failed(BindStep::kCapabilities, got);
  }
  if ((data[0].permitted | data[1].permitted | data[0].inheritable | data[1].inheritable) == 0) return 0;
  for (unsigned capability = 0; capability < 64; ++capability) {
    if ((binding.kept_capabilities >> capability) & 1) continue;
    if (call(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0) == -EINVAL) break;
  }
  for (unsigned word = 0; word < 2; ++word) {
    const auto kept = static_cast<std::uint32_t>(binding.kept_capabilities >> (32 * word));
    data[word].permitted &= kept;
    data[word].effective = data[word].inheritable = data[word].permitted;
  }
  const long set = call(SYS_capset, address(&header), address(data));
  return set < 0 ? failed(BindStep::kCapabilities, set) : 0;
}

long restrict_thread(const Binding& binding, std::uint32_t flags) {
  const long done = call(kernel::kNrLandlockRestrictSelf, binding.ruleset, static_cast<long>(flags));
  if (done < 0) return failed(BindStep::kLandlock, done);
  if (const long dropped = drop_capabilities(binding); dropped < 0) return dropped;
  const bool bound = call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
                     call(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER;
  return bound ? 0 : bind_failure(BindStep::kProof, 0);
}

}  // namespace

// Without a ruleset the kernel says EBADF to a thread that may restrict itself, and EPERM to one that has
// privileges to gain still.
long can_bind(void* argument) {
  if (!static_cast<const Binding*>(argument)->may_be_several) return bind_failure(BindStep::kSeveral, 0);
  const long asked = call(kernel::kNrLandlockRestrictSelf, -1, 0);
  const bool has_not_yet = asked == -EPERM && call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
  return asked == -EBADF || has_not_yet ? 0 : failed(BindStep::kLandlock, asked);
}

long bind_caller(void* argument) {
  auto& binding = *static_cast<Binding*>(argument);
  if (const long set = refuse_new_privileges(); set < 0) return set;
  const long filtered =
      call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, address(binding.filter));
  if (filtered < 0) return failed(BindStep::kSeccomp, filtered);
  if (filtered > 0) {
    binding.unlike_thread = static_cast<int>(filtered);
    return bind_failure(BindStep::kSeccomp, 0);
  }
  return restrict_thread(binding, binding.caller_flags);
}

long bind_other(void* argument) {
  if (const long set = refuse_new_privileges(); set < 0) return set;
  return restrict_thread(*static_cast<const Binding*>(argument), 0);
}

}  // namespace nono::launch
