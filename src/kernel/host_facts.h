// HostFacts: what this kernel and this process can do, as a plain value.
//
// `probe_host_facts` asks the kernel (by system call, never by version number), once per process
// and thread-safe; the answer for notifications costs a short-lived thread, the one for namespaces a
// process, which is asked only when a plan wants it. Tests make HostFacts by hand to plan for any kernel.
#pragma once

#include <cstdint>
#include <string>

#include "kernel/root_links.h"

namespace nono::kernel {

enum class Arch { kX86_64, kAarch64 };

struct HostFacts {
  Arch arch = Arch::kX86_64;
  std::string kernel_release;        // uname -r, for messages only
  int landlock_abi = 0;              // 0: no Landlock
  int landlock_error = 0;            // errno that said so when it is 0
  std::uint32_t landlock_errata = 0;
  bool seccomp_filter = false;
  bool user_notification = false;    // a filter may put calls to a supervisor
  bool private_view = false;         // PID + mount namespace with a fresh /proc can be made
  bool view_needs_user_namespace = false;  // ... and only inside a new user namespace
  std::string private_view_error;    // why not, when it cannot
  RootLinks root_links;              // only where a plan wants them
  std::uint32_t uid = 0;             // effective
  std::uint64_t capabilities = 0;    // effective capability mask
};

// The facts without the namespace probe. Credentials are read anew at each call.
[[nodiscard]] HostFacts host_facts();

// The same with `private_view` filled in; the namespace probe runs once per process.
[[nodiscard]] HostFacts host_facts_with_namespaces();

// After this process has restricted itself: what it may then do is asked anew.
void forget_host_facts();

[[nodiscard]] std::uint64_t effective_capabilities();

}  // namespace nono::kernel
