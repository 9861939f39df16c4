#include "plan/seccomp_rules.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "base/fork_safe.h"
#include "base/immortal.h"
#include "base/once.h"
#include "plan/bpf_assembler.h"

namespace nono::plan {
namespace {

using Label = BpfAssembler::Label;
constexpr Label kNext = BpfAssembler::kNext;

constexpr std::uint32_t kRetAllow = 0x7fff0000;
constexpr std::uint32_t kRetErrno = 0x00050000;
constexpr std::uint32_t kRetUserNotification = 0x7fc00000;
constexpr std::uint32_t kOffsetNr = 0;
constexpr std::uint32_t kOffsetArch = 4;

constexpr std::uint32_t kAfUnix = 1;
constexpr std::uint32_t kAfInet = 2;
constexpr std::uint32_t kAfInet6 = 10;
constexpr std::uint32_t kAfNetlink = 16;
constexpr std::uint32_t kSockStream = 1;
constexpr std::uint32_t kSockDgram = 2;
constexpr std::uint32_t kSockRaw = 3;
constexpr std::uint32_t kSockSeqpacket = 5;
constexpr std::uint32_t kSockTypeMask = ~(04000U | 02000000U);  // SOCK_NONBLOCK, SOCK_CLOEXEC
constexpr std::uint32_t kIpprotoIcmp = 1;  // sockets of ping
constexpr std::uint32_t kIpprotoTcp = 6;
constexpr std::uint32_t kIpprotoUdp = 17;
constexpr std::uint32_t kIpprotoIcmpv6 = 58;
constexpr std::uint32_t kMsgFastopen = 0x20000000;
constexpr std::uint32_t kCloneNamespaces = 0x7e020000;  // every CLONE_NEW* that clone(2) takes
constexpr std::uint32_t kCloneNewpid = 0x20000000;
constexpr std::uint32_t kUnshareNamespaces = kCloneNamespaces | 0x80;  // and CLONE_NEWTIME
constexpr std::uint32_t kTiocsti = 0x5412;
constexpr std::uint32_t kTioclinux = 0x541c;
constexpr std::uint32_t kSeccompNewListener = 1U << 3;
constexpr std::uint32_t kOpenTruncate = 01000;
constexpr std::uint32_t kOpenAccmode = 03;
constexpr std::uint32_t kOpenChanges = kOpenAccmode | 0100 | kOpenTruncate | 020000000;  // O_CREAT, __O_TMPFILE
constexpr std::uint32_t kOpenPath = 010000000;
constexpr std::uint32_t kPrSetDumpable = 4;

constexpr unsigned kInMemory = ~0U;

std::uint32_t audit_arch(kernel::Arch arch) {
  return arch == kernel::Arch::kX86_64 ? 0xc000003e : 0xc00000b7;
}

// Turns a verdict that depends on the rules, not on arguments, into a plain one.
Verdict settle(Verdict verdict, const SeccompRules& rules) {
  switch (verdict) {
    case Verdict::kSocket:
      return rules.sockets == Sockets::kNone && rules.unix_sockets == UnixSockets::kNone ? Verdict::kDeny : verdict;
    case Verdict::kConnect: return rules.ask_for_sockets() ? verdict : Verdict::kAllow;
    case Verdict::kSendto:
    case Verdict::kSendmsg:
    case Verdict::kSendmmsg:
      // Where Landlock handles no port, Fast Open opens nothing that connect would not.
      if (rules.unix_sockets == UnixSockets::kAskedToSend) return verdict;
      return rules.sockets == Sockets::kTcp ? verdict : Verdict::kAllow;
    case Verdict::kListen:  // does not say what kind of socket it is for
      if (rules.listen) return Verdict::kAllow;
      return rules.ask_for_sockets() ? Verdict::kConnect : Verdict::kDeny;
    case Verdict::kOwnPid:
    case Verdict::kSetpriority:
    case Verdict::kIoprioSet: return rules.private_pids ? Verdict::kAllow : verdict;
    case Verdict::kMetadata: return rules.ask_for_metadata ? verdict : Verdict::kAllow;
    case Verdict::kPrctl: return rules.ask() ? verdict : Verdict::kAllow;
    case Verdict::kName: return rules.names == Names::kFree ? Verdict::kAllow : Verdict::kName;
    case Verdict::kTruncate:
      if (rules.names != Names::kFree) return Verdict::kName;
      return rules.truncate ? Verdict::kAllow : Verdict::kDeny;
    case Verdict::kOpenat2:  // its flags are in memory
      if (rules.names != Names::kFree) return Verdict::kName;
      return rules.truncate ? Verdict::kAllow : Verdict::kAbsent;
    case Verdict::kOpen:
    case Verdict::kOpenat:
      return rules.names == Names::kFree && rules.truncate ? Verdict::kAllow : verdict;
    default: return verdict;
  }
}

class Compiler {
 public:
  explicit Compiler(const SeccompRules& rules) : rules_(rules) {}

  Result<std::vector<SockFilter>> run() {
    collect();
    asm_.load(kOffsetArch);
    asm_.if_equal(audit_arch(rules_.arch), kNext, absent_);
    asm_.load(kOffsetNr);
    branch(0, holes_.size());
    for (const auto& [verdict, label] : conditional_) {
      asm_.bind(label);
      condition(verdict);
    }
    leaf(deny_, kRetErrno | EPERM);
    leaf(refuse_, kRetErrno | EACCES);
    leaf(absent_, kRetErrno | ENOSYS);
    if (rules_.ask()) {
      leaf(ask_, kRetUserNotification);
      leaf(done_, kRetErrno);
    }
    leaf(allow_, kRetAllow);
    auto program = asm_.finish();
    if (!program) {
      return fail(ErrorKind::kSandboxInit,
                  "Sandbox initialization failed: the seccomp program does not fit");
    }
    return *std::move(program);
  }

 private:
  // A stretch of numbers [first, last] that is not simply allowed.
  struct Hole {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    Label target = 0;
  };

  void collect() {
    std::map<std::uint32_t, Verdict> by_number;
    for (const Syscall& call : syscall_table()) {
      const int number = rules_.arch == kernel::Arch::kX86_64 ? call.x86_64 : call.aarch64;
      if (number >= 0) by_number[static_cast<std::uint32_t>(number)] = settle(call.verdict, rules_);
    }
    std::uint32_t expected = 0;
    for (const auto& [number, verdict] : by_number) {
      if (number > expected) add(expected, number - 1, absent_);
      if (verdict != Verdict::kAllow) add(number, number, target_of(verdict));
      expected = number + 1;
    }
    add(expected, 0xffffffff, absent_);
  }

  void add(std::uint32_t first, std::uint32_t last, Label target) {
    if (!holes_.empty() && holes_.back().target == target && holes_.back().last + 1 == first) {
      holes_.back().last = last;
    } else {
      holes_.push_back({first, last, target});
    }
  }

  Label target_of(Verdict verdict) {
    switch (verdict) {
      case Verdict::kAllow: return allow_;
      case Verdict::kDeny: return deny_;
      case Verdict::kAbsent: return absent_;
      case Verdict::kWatch: return refuse_;
      case Verdict::kMetadata:
      case Verdict::kName:
      case Verdict::kConnect: return ask_;
      default: {
        const auto [it, is_new] = conditional_.try_emplace(verdict, Label{});
        if (is_new) it->second = asm_.label();
        return it->second;
      }
    }
  }

  // A binary search down to a few holes, then one comparison for each: the kernel runs the program
  // once for every known number when it is installed, so short paths and few instructions are
  // what installing costs (docs/decisions/0003-own-seccomp-compiler.md).
  void branch(std::size_t begin, std::size_t end) {
    constexpr std::size_t kLinear = 5;
    if (end - begin > kLinear) {
      const std::size_t middle = begin + (end - begin) / 2;
      const Label upper = asm_.label();
      asm_.if_greater_or_equal(holes_[middle].first, upper, kNext);
      branch(begin, middle);
      asm_.bind(upper);
      branch(middle, end);
      return;
    }
    for (std::size_t i = begin; i < end; ++i) {
      const Hole& hole = holes_[i];
      const bool is_last = i + 1 == end;
      if (hole.first == hole.last) {
        asm_.if_equal(hole.first, hole.target, is_last ? allow_ : kNext);
      } else if (hole.last == 0xffffffff) {
        asm_.if_greater_or_equal(hole.first, hole.target, is_last ? allow_ : kNext);
      } else {
        asm_.if_greater_or_equal(hole.first, kNext, allow_);
        asm_.if_greater(hole.last, is_last ? allow_ : kNext, hole.target);
      }
    }
  }

  void leaf(Label label, std::uint32_t value) {
    asm_.bind(label);
    asm_.ret(value);
  }

  void argument_must_be_zero(unsigned n) {
    asm_.load_argument(n);
    asm_.if_equal(0, allow_, deny_);
  }
  void deny_bits(unsigned n, std::uint32_t bits) {
    asm_.load_argument(n);
    asm_.if_any_bit(bits, deny_, allow_);
  }
  // `address`: the argument that points to one, or none for a call of which that is in memory.
  void send(unsigned flags, unsigned address) {
    const bool asks = rules_.unix_sockets == UnixSockets::kAskedToSend;
    if (rules_.sockets == Sockets::kTcp) {
      asm_.load_argument(flags);
      asm_.if_any_bit(kMsgFastopen, deny_, asks ? kNext : allow_);
    }
    if (!asks) return;
    if (address == kInMemory) {
      return asm_.if_any_bit(0, ask_, ask_);
    }
    asm_.load_argument(address);
    asm_.if_equal(0, kNext, ask_);
    asm_.load_upper_half(address);
    asm_.if_equal(0, allow_, ask_);
  }
  void open(unsigned n) {
    asm_.load_argument(n);
    if (rules_.names != Names::kFree) {
      // A descriptor that opens nothing cannot be handed over; what is opened through it is asked about.
      asm_.if_any_bit(kOpenPath, allow_, rules_.names == Names::kAllAsked ? ask_ : kNext);
      if (rules_.names == Names::kChangesAsked) asm_.if_any_bit(kOpenChanges, ask_, allow_);
      return;
    }
    asm_.bit_and(kOpenTruncate | kOpenAccmode);
    asm_.if_equal(kOpenTruncate, refuse_, allow_);
  }

  void condition(Verdict verdict) {
    switch (verdict) {
      case Verdict::kSocket: return socket();
      case Verdict::kSocketpair: return socketpair();
      case Verdict::kClone:
        // The keeper makes a PID namespace for each command under this filter. A command lacks
        // CAP_SYS_ADMIN for it, and may not make the user namespace that would give it.
        return deny_bits(0, rules_.private_pids ? kCloneNamespaces & ~kCloneNewpid : kCloneNamespaces);
      case Verdict::kUnshare: return deny_bits(0, kUnshareNamespaces);
      case Verdict::kIoctl:
        asm_.load_argument(1);
        asm_.if_equal(kTiocsti, deny_, kNext);
        if (rules_.ask_for_metadata) {
          for (const std::uint32_t request : kMetadataIoctls) asm_.if_equal(request, ask_, kNext);
        }
        asm_.if_equal(kTioclinux, deny_, allow_);
        return;
      case Verdict::kSendto: return send(3, 4);
      case Verdict::kSendmsg: return send(2, kInMemory);
      case Verdict::kSendmmsg: return send(3, kInMemory);
      case Verdict::kPersonality:
        asm_.load_argument(0);
        asm_.if_equal(0, allow_, kNext);
        asm_.if_equal(0xffffffff, allow_, deny_);  // asks which one it is
        return;
      case Verdict::kOwnPid: return argument_must_be_zero(0);
      case Verdict::kSetpriority:  // PRIO_PROCESS is 0, and so is "myself"
        asm_.load_argument(0);
        asm_.if_equal(0, kNext, deny_);
        return argument_must_be_zero(1);
      case Verdict::kIoprioSet:  // IOPRIO_WHO_PROCESS is 1
        asm_.load_argument(0);
        asm_.if_equal(1, kNext, deny_);
        return argument_must_be_zero(1);
      case Verdict::kSeccomp: return deny_bits(1, kSeccompNewListener);
      case Verdict::kOpen: return open(1);
      case Verdict::kOpenat: return open(2);
      case Verdict::kPrctl:
        asm_.load_argument(0);
        asm_.if_equal(kPrSetDumpable, kNext, allow_);
        asm_.load_argument(1);
        asm_.if_equal(0, done_, allow_);
        return;
      case Verdict::kAllow:
      case Verdict::kDeny:
      case Verdict::kAbsent:
      case Verdict::kName:
      case Verdict::kConnect:
      case Verdict::kListen:
      case Verdict::kWatch:
      case Verdict::kMetadata:
      case Verdict::kTruncate:
      case Verdict::kOpenat2: asm_.ret(kRetErrno | EPERM); return;  // settled before
    }
  }

  void socket() {
    const Label local = asm_.label();
    const Label internet = asm_.label();
    const Label netlink = asm_.label();
    const Label datagram = asm_.label();
    const bool has_internet = rules_.sockets != Sockets::kNone;
    asm_.load_argument(0);
    if (rules_.unix_sockets != UnixSockets::kNone) asm_.if_equal(kAfUnix, local, has_internet ? kNext : deny_);
    if (rules_.sockets == Sockets::kInternet) asm_.if_equal(kAfNetlink, netlink, kNext);
    if (has_internet) {
      asm_.if_equal(kAfInet, internet, kNext);
      asm_.if_equal(kAfInet6, kNext, deny_);
    }
    asm_.bind(internet);
    if (has_internet) {
      asm_.load_argument(1);
      asm_.bit_and(kSockTypeMask);
      if (rules_.sockets == Sockets::kInternet) asm_.if_equal(kSockDgram, datagram, kNext);
      asm_.if_equal(kSockStream, kNext, deny_);
      asm_.load_argument(2);  // MPTCP and SCTP are not covered by Landlock's TCP rights
      asm_.if_equal(0, allow_, kNext);
      asm_.if_equal(kIpprotoTcp, allow_, deny_);
    }
    asm_.bind(datagram);
    if (rules_.sockets == Sockets::kInternet) {
      asm_.load_argument(2);
      for (const std::uint32_t protocol : {0U, kIpprotoUdp, kIpprotoIcmp}) asm_.if_equal(protocol, allow_, kNext);
      asm_.if_equal(kIpprotoIcmpv6, allow_, deny_);
    }
    asm_.bind(netlink);
    if (rules_.sockets == Sockets::kInternet) argument_must_be_zero(2);  // NETLINK_ROUTE
    asm_.bind(local);
    if (rules_.unix_sockets != UnixSockets::kNone) unix_type();
  }

  void socketpair() {
    asm_.load_argument(0);
    asm_.if_equal(kAfUnix, kNext, deny_);
    unix_type();
  }

  // A datagram socket sends to any other by name. SOCK_RAW is another word for it.
  void unix_type() {
    asm_.load_argument(1);
    asm_.bit_and(kSockTypeMask);
    if (rules_.unix_sockets == UnixSockets::kKernel) asm_.if_equal(kSockRaw, allow_, kNext);
    const bool sends = rules_.unix_sockets == UnixSockets::kKernel || rules_.unix_sockets == UnixSockets::kAskedToSend;
    if (sends) asm_.if_equal(kSockDgram, allow_, kNext);
    asm_.if_equal(kSockStream, allow_, kNext);
    asm_.if_equal(kSockSeqpacket, allow_, deny_);
  }

  const SeccompRules& rules_;
  BpfAssembler asm_;
  const Label allow_ = asm_.label();
  const Label deny_ = asm_.label();
  const Label refuse_ = asm_.label();
  const Label absent_ = asm_.label();
  const Label ask_ = asm_.label();
  const Label done_ = asm_.label();  // answers 0 and does nothing
  std::vector<Hole> holes_;
  std::map<Verdict, Label> conditional_;
};

ForkSafeMutex compiled_mutex;
Immortal<std::vector<std::pair<SeccompRules, SeccompProgram>>> compiled;  // a handful in all

}  // namespace

const std::vector<Syscall>& syscall_table() {
  static constinit Once<std::vector<Syscall>> table;
  const auto make = [] {
    return std::vector<Syscall>{
#define SYSCALL(name, x86_64, aarch64, verdict) {#name, x86_64, aarch64, Verdict::verdict},
#include "plan/syscalls.inc"
#undef SYSCALL
    };
  };
  return table.get(make);
}

Result<SeccompProgram> compile_seccomp(const SeccompRules& rules) {
  const std::lock_guard lock(compiled_mutex);
  for (const auto& [known, program] : *compiled) {
    if (known == rules) return program;
  }
  auto program = std::make_shared<const std::vector<SockFilter>>(NONO_TRY(Compiler(rules).run()));
  compiled->emplace_back(rules, program);
  return program;
}

}  // namespace nono::plan
