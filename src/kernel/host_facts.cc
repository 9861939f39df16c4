#include "kernel/host_facts.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <system_error>
#include <thread>

#include "base/fd.h"
#include "base/once.h"
#include "kernel/landlock.h"
#include "kernel/private_view.h"
#include "kernel/signals.h"

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

enum class Known { kNotAsked, kNo, kYes };
std::atomic<Known>& known_notification() {
  static std::atomic<Known> known{Known::kNotAsked};
  return known;
}

// A supervisor has to read its callers' memory: an outer filter may refuse that, and Yama keep it to debuggers.
bool can_read_memory() {
  char here = 'x';
  char there = 0;
  const iovec from{&here, 1};
  const iovec to{&there, 1};
  if (::process_vm_readv(::getpid(), &to, 1, &from, 1, 0) != 1) return false;
  const Fd yama(::open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC));
  char scope = '0';
  return !yama.valid() || (::read(yama.get(), &scope, 1) == 1 && scope < '2');
}

// By a thread that installs such a filter and ends: an outer one may refuse it, or have the one listener
// that a chain of filters can have.
bool can_listen() {
  if (!can_read_memory()) return false;
  bool can = false;
  const auto attempt = [&can] {
    seccomp_notif_sizes sizes{};
    if (::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0 ||
        sizes.seccomp_notif != sizeof(seccomp_notif) || sizes.seccomp_notif_resp != sizeof(seccomp_notif_resp)) {
      return;
    }
    sock_filter allow{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    const sock_fprog program{1, &allow};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const Fd listener(static_cast<int>(
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program)));
    can = listener.valid();
  };
  try {
    const BlockAllSignals blocked;
    std::thread(attempt).join();
  } catch (const std::system_error&) {
    return false;
  }
  return can;
}

bool user_notification() {
  auto& known = known_notification();
  if (known.load() == Known::kNotAsked) known.store(can_listen() ? Known::kYes : Known::kNo);
  return known.load() == Known::kYes;
}

}  // namespace

std::uint64_t effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return 0;
  return data[0].effective | (std::uint64_t{data[1].effective} << 32);
}

void forget_host_facts() { known_notification().store(Known::kNotAsked); }

HostFacts host_facts() {
  static constinit Once<HostFacts> probed;
  HostFacts facts = probed.get(probe);
  facts.user_notification = user_notification();
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
