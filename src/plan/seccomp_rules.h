// The seccomp filter: what each system call's verdict is, and the BPF program that says so. Pure.
//
// The list is an allow-list: a call that plan/syscalls.inc does not name answers ENOSYS, as on a
// kernel that never had it, so programs fall back. The program first checks the architecture, so
// int 0x80 and other foreign ABIs get ENOSYS too; x32 numbers lie above every known number.
// Arguments are compared by their register value only, never through a pointer, so there is no race.
// Where that cannot tell, the call is put to the supervisor (supervise/supervisor.h), which performs it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/host_facts.h"

namespace nono::plan {

// The layout of the kernel's struct sock_filter, without its header.
struct SockFilter {
  std::uint16_t code = 0;
  std::uint8_t jt = 0;
  std::uint8_t jf = 0;
  std::uint32_t k = 0;
  bool operator==(const SockFilter&) const = default;
};

// Which sockets of the internet a child may make.
enum class Sockets {
  kNone,     // none of the internet
  kTcp,      // TCP over IPv4 and IPv6; Landlock decides which ports
  kInternet, // TCP, UDP, and the routing netlink socket that resolvers need
};

// Which calls that name files are put to the supervisor, because a denial cannot be put into Landlock's words.
enum class Names {
  kFree,
  kChangesAsked,  // what opens for writing, makes, moves, links or removes a name
  kAllAsked,      // every open as well
};

// Which Unix sockets a child may make, and who decides what they reach.
enum class UnixSockets {
  kNone,              // socketpair only
  kAsked,             // stream and seqpacket; connect and bind are put to the supervisor
  kAskedToSend,       // datagrams as well; so is what sends to an address
  kKernel,            // all; Landlock decides (ABI 9)
};

struct SeccompRules {
  kernel::Arch arch = kernel::Arch::kX86_64;
  Sockets sockets = Sockets::kNone;
  UnixSockets unix_sockets = UnixSockets::kNone;
  bool listen = false;          // a bind grant exists
  bool truncate = true;         // the kernel decides who may truncate (ABI 3)
  bool private_pids = false;    // processes outside cannot be named at all
  bool ask_for_metadata = false;  // calls that change it are put to the supervisor
  Names names = Names::kFree;
  [[nodiscard]] bool ask_for_sockets() const {
    return unix_sockets == UnixSockets::kAsked || unix_sockets == UnixSockets::kAskedToSend;
  }
  // Anything at all.
  [[nodiscard]] bool ask() const { return ask_for_metadata || names != Names::kFree || ask_for_sockets(); }
  bool operator==(const SeccompRules&) const = default;
};

// Shared: the same rules give the very same program, compiled once per process.
using SeccompProgram = std::shared_ptr<const std::vector<SockFilter>>;

// The words of plan/syscalls.inc.
enum class Verdict : std::uint8_t {
  kAllow,
  kDeny,    // EPERM: reaches outside the tree, raises privileges, or is attack surface
  kAbsent,  // ENOSYS: hides its arguments, so the caller must fall back to one that does not (clone3)
  kSocket, kSocketpair,
  kClone, kUnshare,                 // no new namespaces
  kIoctl,                           // no TIOCSTI, TIOCLINUX (low 32 bits); file flags are metadata
  kSendto, kSendmsg, kSendmmsg,     // no MSG_FASTOPEN: it connects without asking Landlock
  kListen,
  kConnect,                         // and bind: for the supervisor, where it decides about Unix sockets
  kPersonality,                     // only the default one
  kOwnPid,                          // pid argument 0 only
  kSetpriority, kIoprioSet,
  kSeccomp,                         // no notification listener of its own
  kWatch,                           // inotify on a path: Landlock does not cover it
  kMetadata,                        // mode, owner, times, attributes: Landlock does not cover them
  kName,                            // makes, moves, links or removes a name: for the supervisor, if there are denials
  kTruncate, kOpen, kOpenat, kOpenat2,  // likewise; otherwise stand-ins below Landlock ABI 3
  kPrctl,                           // a process that hides its memory could not be supervised: it is told it does
};

// FS_IOC_SETFLAGS, FS_IOC_SETVERSION and their 32-bit forms, FS_IOC_FSSETXATTR: they need no descriptor
// that is open for writing.
inline constexpr std::array<std::uint32_t, 5> kMetadataIoctls{0x40086602, 0x40046602, 0x40087602, 0x40047602, 0x401c5820};

struct Syscall {
  std::string_view name;
  int x86_64 = -1;
  int aarch64 = -1;
  Verdict verdict = Verdict::kAllow;
};
[[nodiscard]] const std::vector<Syscall>& syscall_table();

// kSandboxInit if the rules do not fit a program (a bug that the unit tests would show).
[[nodiscard]] Result<SeccompProgram> compile_seccomp(const SeccompRules& rules);

}  // namespace nono::plan
