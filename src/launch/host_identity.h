// HostIdentity: what a process that starts now would inherit from the calling thread, as far as it
// can change during a process's life. A kept keeper serves a thread only while the two agree.
//
// Value, compared as a whole. It is read before each command, so it is kept cheap: about 25 system
// calls. Left out: what our seccomp filter keeps every command from using, which is all of an IPC namespace.
#pragma once

#include <sched.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"

namespace nono::launch {

struct HostIdentity {
  pid_t process = 0;
  std::array<uid_t, 3> uids{};
  std::array<gid_t, 3> gids{};
  std::vector<gid_t> groups;
  std::array<std::uint64_t, 3> capabilities{};  // effective, permitted, inheritable
  int securebits = 0;
  int no_new_privs = 0;
  int seccomp_mode = 0;
  std::array<std::array<std::uint64_t, 2>, RLIM_NLIMITS> limits{};  // of those that are inherited and mean something
  int priority = 0;
  int scheduler = 0;
  long io_priority = 0;
  std::array<std::uint64_t, 16> affinity{};
  std::array<std::uint64_t, 3> root{};        // mount, device and inode of "/"
  std::array<std::uint64_t, 3> namespaces{};  // user, network, PID; 0 where they cannot change
  std::string host_name;                      // all that a command sees of the UTS namespace
  std::uint64_t cgroup = 0;                   // a hash of /proc/self/cgroup

  bool operator==(const HostIdentity&) const = default;

  // False where the thread may be under restrictions that no system call reports (a Landlock domain
  // of its own needs no_new_privs first): such a host gets a fresh keeper for every command.
  [[nodiscard]] bool is_complete() const { return no_new_privs == 0; }
};

// Files that make asking again cheap; opened when first needed.
struct HostFiles {
  Fd cgroup;             // /proc/self/cgroup
  Fd namespaces;         // /proc/thread-self/ns, of `thread`
  pid_t thread = 0;
};

[[nodiscard]] HostIdentity host_identity(HostFiles& files);

}  // namespace nono::launch
