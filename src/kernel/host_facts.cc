#include "kernel/host_facts.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>

#include "kernel/landlock.h"
#include "kernel/private_view.h"

namespace nono::kernel {
namespace {

constexpr int kPrGetSeccomp = 21;

HostFacts probe() {
  HostFacts facts;
#if defined(__x86_64__)
  facts.arch = Arch::kX86_64;
#elif defined(__aarch64__)
  facts.arch = Arch::kAarch64;
#else
#error "nono knows the system calls of x86-64 and arm64 only"
#endif
  struct utsname name {};
  if (::uname(&name) == 0) facts.kernel_release = static_cast<const char*>(name.release);
  facts.landlock_abi = landlock_abi(&facts.landlock_error);
  facts.landlock_errata = landlock_errata();
  // -EINVAL: no seccomp in this kernel. Filters have come with it since Linux 3.5.
  facts.seccomp_filter = ::prctl(kPrGetSeccomp, 0, 0, 0, 0) >= 0;
  return facts;
}

}  // namespace

std::uint64_t effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return 0;
  return data[0].effective | (std::uint64_t{data[1].effective} << 32);
}

HostFacts host_facts() {
  static const HostFacts probed = probe();
  HostFacts facts = probed;
  facts.uid = ::geteuid();
  facts.capabilities = effective_capabilities();
  return facts;
}

HostFacts host_facts_with_namespaces() {
  HostFacts facts = host_facts();
  const PrivateView view = private_view(facts.capabilities);
  facts.private_view = view.possible;
  facts.view_needs_user_namespace = view.needs_user_namespace;
  facts.private_view_error = view.error;
  return facts;
}

}  // namespace nono::kernel
