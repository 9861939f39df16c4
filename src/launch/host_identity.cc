#include "launch/host_identity.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <functional>
#include <string_view>

#include "base/text.h"
#include "kernel/fd_table.h"

namespace nono::launch {
namespace {

std::array<std::uint64_t, 3> capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> d{};
  if (::syscall(SYS_capget, &header, d.data()) != 0) return {};
  const auto whole = [](std::uint32_t low, std::uint32_t high) {
    return low | (std::uint64_t{high} << 32);
  };
  return {whole(d[0].effective, d[1].effective), whole(d[0].permitted, d[1].permitted),
          whole(d[0].inheritable, d[1].inheritable)};
}

void open_once(Fd& file, const char* path, int flags) {
  if (file.valid()) return;
  if (auto opened = kernel::above_stdio(Fd(::open(path, flags | O_CLOEXEC)))) file = *std::move(opened);
}

// Changing a namespace takes CAP_SYS_ADMIN, or a new user namespace, which shows in the capabilities.
std::array<std::uint64_t, 3> namespaces(std::uint64_t effective, HostFiles& files) {
  constexpr std::uint64_t kSysAdmin = 1ULL << 21;
  if ((effective & kSysAdmin) == 0) return {};
  if (const pid_t thread = ::gettid(); files.thread != thread) {
    files.namespaces.reset();
    files.thread = thread;
  }
  open_once(files.namespaces, "/proc/thread-self/ns", O_PATH | O_DIRECTORY);
  // "net:[4026531833]". Following the link to the object itself takes twice as long.
  const auto inode = [&](const char* name) {
    std::array<char, 64> text;
    const ssize_t size = ::readlinkat(files.namespaces.get(), name, text.data(), text.size());
    std::uint64_t number = 0;
    for (ssize_t i = 0; i < size; ++i) {
      const char c = text[static_cast<std::size_t>(i)];
      if (c >= '0' && c <= '9') number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return number;
  };
  return {inode("user"), inode("net"), inode("pid_for_children")};
}

// Another mount namespace has another mount of it, a chroot another directory.
std::array<std::uint64_t, 3> root_directory() {
  struct statx root {};
  (void)::statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &root);
  return {root.stx_mnt_id, makedev(root.stx_dev_major, root.stx_dev_minor), root.stx_ino};
}

std::string host_name() {
  struct utsname names {};
  (void)::uname(&names);
  return cat(names.nodename, "\n", names.domainname);
}

std::uint64_t cgroup(HostFiles& files) {
  open_once(files.cgroup, "/proc/self/cgroup", O_RDONLY);
  std::array<char, 1024> text;
  const ssize_t size = files.cgroup.valid() ? ::pread(files.cgroup.get(), text.data(), text.size(), 0) : 0;
  return std::hash<std::string_view>{}({text.data(), size > 0 ? static_cast<std::size_t>(size) : 0});
}

}  // namespace

HostIdentity host_identity(HostFiles& files) {
  HostIdentity now;
  now.process = ::getpid();
  (void)::getresuid(&now.uids[0], &now.uids[1], &now.uids[2]);
  (void)::getresgid(&now.gids[0], &now.gids[1], &now.gids[2]);
  if (const int count = ::getgroups(0, nullptr); count > 0) {
    now.groups.resize(static_cast<std::size_t>(count));
    if (::getgroups(count, now.groups.data()) < 0) now.groups.clear();
  }
  now.capabilities = capabilities();
  now.securebits = ::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
  now.no_new_privs = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  now.seccomp_mode = ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
  for (const auto resource :
       {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK,
        RLIMIT_AS, RLIMIT_SIGPENDING, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME}) {
    struct rlimit limit {};
    (void)::getrlimit(resource, &limit);
    now.limits[static_cast<std::size_t>(resource)] = {limit.rlim_cur, limit.rlim_max};
  }
  now.priority = ::getpriority(PRIO_PROCESS, 0);
  now.scheduler = ::sched_getscheduler(0);
  constexpr int kIoprioWhoProcess = 1;
  now.io_priority = ::syscall(SYS_ioprio_get, kIoprioWhoProcess, 0);
  (void)::syscall(SYS_sched_getaffinity, 0, sizeof now.affinity, now.affinity.data());
  now.root = root_directory();
  now.host_name = host_name();
  now.namespaces = namespaces(now.capabilities[0], files);
  now.cgroup = cgroup(files);
  return now;
}

}  // namespace nono::launch
