#include "plan/boundaries.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/text.h"
#include "kernel/uapi.h"
#include "plan/denials.h"

namespace nono::plan {
namespace {

std::string ports(const Plan& plan, std::uint64_t right) {
  std::string text;
  for (const auto& rule : plan.landlock.ports) {
    if ((rule.access & right) != 0) text += cat(text.empty() ? "" : ", ", rule.port);
  }
  return text.empty() ? "none" : text;
}

std::string metadata_calls(const Plan& plan) {
  std::string text;
  for (const Syscall& call : syscall_table()) {
    const bool exists = (plan.facts.arch == kernel::Arch::kX86_64 ? call.x86_64 : call.aarch64) >= 0;
    if (call.verdict == Verdict::kMetadata && exists) text += cat(call.name, ", ");
  }
  return text;
}

// Those that open a name and, with them, those that can give or take one.
std::string name_calls(const Plan& plan) {
  const auto exists = [&](const Syscall& call) {
    return (plan.facts.arch == kernel::Arch::kX86_64 ? call.x86_64 : call.aarch64) >= 0;
  };
  const auto opens = [](Verdict verdict) { return verdict == Verdict::kOpen || verdict == Verdict::kOpenat; };
  std::string text;
  for (const Syscall& call : syscall_table()) {
    if (exists(call) && opens(call.verdict)) text += cat(text.empty() ? "" : ", ", call.name);
  }
  if (plan.seccomp_rules.names == Names::kChangesAsked) text += " to write or create";
  for (const Syscall& call : syscall_table()) {
    const bool asked = call.verdict == Verdict::kName || call.verdict == Verdict::kOpenat2 || call.verdict == Verdict::kTruncate;
    if (exists(call) && asked) text += cat(", ", call.name);
  }
  return text;
}

class Writer {
 public:
  explicit Writer(const Plan& plan) : plan_(plan) {}

  std::vector<Boundary> write() {
    files();
    network();
    processes();
    privileges();
    limits();
    return std::move(out_);
  }

 private:
  void add(std::string name, std::string by, std::string detail) {
    out_.push_back({std::move(name), std::move(by), std::move(detail)});
  }

  void files() {
    const int abi = plan_.facts.landlock_abi;
    add("files", "landlock",
        cat("ABI ", abi, "; ", plan_.grants.size(), " grants, everything else refused (EACCES)"));
    if (plan_.view && !plan_.view->covered.empty()) {
      add("denied paths inside grants", "mount namespace",
          cat(plan_.view->covered.size(), " covered; they cannot be opened, nor they or the directories that "
              "lead there be renamed (EACCES, EBUSY)"));
    }
    names();
    if (abi < 2) add("rename across directories", "landlock", "always refused below ABI 2");
    if (abi < 3) {
      add("truncate", "seccomp", "truncate and read-only O_TRUNC refused (Landlock needs ABI 3)");
    }
    if (abi < 5) {
      add("device ioctl", "nothing", "not limited on granted devices (Landlock needs ABI 5)");
    }
    if (plan_.view) {
      add("file metadata outside writable grants", "mount namespace",
          "root read-only: chmod, chown, utime, setxattr answer EROFS");
      if (plan_.seccomp_rules.ask_for_metadata) {
        add("file metadata of denied names", "supervisor",
            cat("performed by the supervisor inside: ", metadata_calls(plan_), "and ioctl of file flags"));
      }
      if (!plan_.view->in_proc.empty()) {
        add("/proc", "PID namespace", "a fresh one, with the sandbox's own processes only");
      }
    } else if (plan_.seccomp_rules.ask_for_metadata) {
      add("file metadata outside writable grants", "supervisor",
          cat("refused (EPERM); performed by the supervisor inside: ", metadata_calls(plan_), "and ioctl of file flags"));
    } else {
      add("file metadata outside grants", "nothing",
          cat("chmod, chown, utime and setxattr change what the uid owns",
              plan_.tree_kill == TreeKill::kNone ? "" : "; isolation=\"namespaces\" makes it read-only"));
    }
    if (plan_.view && plan_.view->only_grants) {
      add("file status outside grants", "mount namespace",
          "a root of its own with the grants, and links that lead to them: all else is not there (ENOENT)");
    } else {
      add("file status outside grants", "nothing",
          cat("stat, access and readlink see it",
              plan_.tree_kill == TreeKill::kNone ? "" : "; isolation=\"strict\" hides it"));
    }
    add("inotify", "seccomp", "inotify_add_watch refused (Landlock does not cover it)");
  }

  // Denials that no view covers.
  void names() {
    if (plan_.seccomp_rules.names == Names::kFree) return;
    const bool has_covers = plan_.view && !plan_.view->covered.empty();
    const auto is_covered = [&](const capability::Denial& denial) {
      return has_covers && std::ranges::any_of(plan_.view->covered, [&](const std::string& path) {
               return capability::is_within_folded(path, denial.resolved);
             });
    };
    std::size_t denied = 0;
    std::size_t kept = 0;
    std::vector<std::string> protected_names;
    for (const auto& denial : plan_.denials) {
      if (!matters(denial, plan_.grants) || is_covered(denial)) continue;
      ++(denial.protected_by.empty() ? denied : kept);
      const bool is_new = !denial.protected_by.empty() && std::ranges::count(protected_names, denial.protected_by) == 0;
      if (is_new) protected_names.push_back(denial.protected_by);
    }
    const auto patterns = std::ranges::count_if(plan_.grants, [](const auto& grant) { return grant.pattern.has_value(); });
    if (patterns != 0) {
      add("names that a granted pattern leaves out", "supervisor",
          cat(patterns, patterns == 1 ? " pattern" : " patterns", "; what lies in its directory and has no matching name is neither "
              "opened nor made, moved, linked or removed, and nothing is executed; directories on the way can be listed"));
    }
    if (denied != 0) {
      add("denied names inside grants", "supervisor",
          cat(denied, denied == 1 ? " rule" : " rules", "; whether they exist or not, they are neither opened nor made, moved, linked or "
              "removed; executing one is not refused by the supervisor, only in a mount view"));
    }
    if (kept != 0) {
      add("protected names", "supervisor",
          cat(kept, " rules (", join(protected_names, ", "), "); they can be read, and neither made, written, moved, linked nor removed"));
    }
    add("calls that name files", "supervisor", cat("performed by the supervisor: ", name_calls(plan_)));
  }

  void unix_sockets(const SeccompRules& rules) {
    switch (rules.unix_sockets) {
      case UnixSockets::kNone: return add("unix sockets", "seccomp", "socket(AF_UNIX) refused; socketpair works");
      case UnixSockets::kKernel:
        return add("unix sockets outside", "landlock", "only those made inside can be reached (ABI 9)");
      case UnixSockets::kAsked:
        return add("unix sockets outside", "supervisor",
                   "only those that the command has bound can be reached (EACCES), abstract ones not (EPERM); no datagrams; "
                   "performed by the supervisor: connect, bind");
      case UnixSockets::kAskedToSend:
        return add("unix sockets outside", "supervisor",
                   cat("besides those that the command has bound, ", plan_.unix_sockets.size(),
                       " grants can be reached, abstract ones not (EPERM); performed by the supervisor: connect, bind, sendto with "
                       "an address, sendmsg, sendmmsg"));
    }
  }

  void network() {
    const SeccompRules& rules = plan_.seccomp_rules;
    switch (rules.sockets) {
      case Sockets::kNone: add("tcp", "seccomp", "no internet sockets"); break;
      case Sockets::kTcp:
        add("tcp", "landlock",
            cat("connect to ports ", ports(plan_, kernel::kNetConnectTcp), "; bind to ports ",
                ports(plan_, kernel::kNetBindTcp)));
        add("tcp fast open", "seccomp", "MSG_FASTOPEN refused");
        break;
      case Sockets::kInternet: add("tcp", "nothing", "allowed by the capability set"); break;
    }
    add("udp", rules.sockets == Sockets::kInternet ? "nothing" : "seccomp",
        rules.sockets == Sockets::kInternet ? "allowed by the capability set" : "no datagram sockets");
    if (rules.sockets != Sockets::kInternet) {
      add("mptcp, raw, packet, netlink, vsock and other socket families", "seccomp",
          "socket() refused");
    } else {
      add("mptcp, raw, packet, vsock and other socket families", "seccomp", "socket() refused");
    }
    add("listen", rules.listen ? "nothing" : "seccomp",
        rules.sockets == Sockets::kTcp && rules.listen
            ? "allowed: a bind port is granted; without bind it takes a port of the kernel's choice"
        : rules.listen ? "allowed"
                       : "refused");
    unix_sockets(rules);
  }

  void processes() {
    const bool namespaces = plan_.tree_kill == TreeKill::kPidNamespace;
    const bool scoped = (plan_.landlock.scoped & kernel::kScopeSignal) != 0;
    if (plan_.tree_kill != TreeKill::kNone) add("process tree", namespaces ? "PID namespace" : "landlock signal scope",
        "every process is killed when the command ends, is cancelled, times out, or its host dies");
    if (namespaces || scoped) {
      add("signals to processes outside", namespaces ? "PID namespace" : "landlock", "refused");
    } else {
      add("signals to processes outside", "nothing", "not limited (Landlock needs ABI 6)");
    }
    add("ptrace, process memory, pidfd_getfd", "seccomp", "refused");
    add("priority and limits of processes outside", namespaces ? "PID namespace" : "seccomp",
        namespaces ? "they cannot be named" : "calls with a pid other than 0 refused");
    add("namespaces, mounts", "seccomp", "unshare, clone(CLONE_NEW*), setns, mount calls refused");
    add("System V and POSIX message IPC", "seccomp", "refused");
    add("other system calls", "seccomp",
        cat("allow-list of ", plan_.seccomp_program->size(),
            " instructions; io_uring, keyrings, bpf, perf, userfaultfd, kernel modules refused; "
            "clone3, foreign ABIs and unknown calls answer ENOSYS"));
    add("terminal", "seccomp", "a session without one; TIOCSTI and TIOCLINUX refused");
    add("descriptors", "close_range",
        plan_.keep_descriptors.empty()
            ? "0, 1 and 2 only"
            : cat("0, 1, 2 and ", plan_.keep_descriptors.size(), " that were asked for"));
  }

  void privileges() {
    add("privilege gain", "no_new_privs", "setuid programs gain nothing");
    if (plan_.become) {
      add("identity", "credentials",
          cat("uid ", plan_.become->uid, ", gid ", plan_.become->gid,
              ", no supplementary groups, no capabilities, bounding set empty"));
    } else if (plan_.kept_capabilities != 0) {
      add("capabilities", "credentials",
          "none but CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID; no_new_privs bars getting "
          "more through exec");
    } else {
      add("capabilities", "credentials", "none");
    }
    add("environment", "launch",
        cat("built, not inherited: ", plan_.environment.size(), " variables"));
  }

  void limits() {
    for (const auto& limit : plan_.rlimits) {
      switch (limit.resource) {
        case RLIMIT_CORE: add("core dumps", "rlimit", "none"); break;
        case RLIMIT_AS:
          add("memory", "rlimit", cat(limit.value, " bytes of address space for each process "
                                      "(no cgroup memory controller is used)"));
          break;
        case RLIMIT_NPROC:
          add("processes", "rlimit", cat(limit.value, " processes and threads of the uid",
                                         plan_.view && plan_.view->user_namespace
                                             ? " in this sandbox"
                                             : " on the whole machine"));
          break;
        case RLIMIT_CPU:
          add("cpu time", "rlimit", cat(limit.value, " s for each process"));
          break;
        case RLIMIT_FSIZE:
          add("file size", "rlimit", cat(limit.value, " bytes for each file"));
          break;
        case RLIMIT_NOFILE:
          add("open files", "rlimit", cat(limit.value, " for each process"));
          break;
        default: break;
      }
    }
  }

  const Plan& plan_;
  std::vector<Boundary> out_;
};

}  // namespace

std::vector<Boundary> boundaries_of(const Plan& plan) {
  return Writer(plan).write();
}

}  // namespace nono::plan
