// The kernel's constants that nono uses and that Debian 12's headers (Linux 6.1) do not know.
//
// Values from the kernel's include/uapi (landlock.h, seccomp.h, sched.h, mount.h); the Landlock ABI
// that brought each right is noted beside it. Kept in our own namespace so that newer system
// headers cannot clash with them.
#pragma once

#include <cstdint>

namespace nono::kernel {

// --- Landlock -------------------------------------------------------------------------------
enum LandlockFs : std::uint64_t {
  kFsExecute = 1ULL << 0,     // ABI 1, Linux 5.13
  kFsWriteFile = 1ULL << 1,
  kFsReadFile = 1ULL << 2,
  kFsReadDir = 1ULL << 3,
  kFsRemoveDir = 1ULL << 4,
  kFsRemoveFile = 1ULL << 5,
  kFsMakeChar = 1ULL << 6,
  kFsMakeDir = 1ULL << 7,
  kFsMakeReg = 1ULL << 8,
  kFsMakeSock = 1ULL << 9,
  kFsMakeFifo = 1ULL << 10,
  kFsMakeBlock = 1ULL << 11,
  kFsMakeSym = 1ULL << 12,
  kFsRefer = 1ULL << 13,       // ABI 2, Linux 5.19
  kFsTruncate = 1ULL << 14,    // ABI 3, Linux 6.2
  kFsIoctlDev = 1ULL << 15,    // ABI 5, Linux 6.10
  kFsResolveUnix = 1ULL << 16, // ABI 9, Linux 7.1
};

enum LandlockNet : std::uint64_t {
  kNetBindTcp = 1ULL << 0,         // ABI 4, Linux 6.7
  kNetConnectTcp = 1ULL << 1,
  kNetBindUdp = 1ULL << 2,         // ABI 10, Linux 7.2
  kNetConnectSendUdp = 1ULL << 3,
};

enum LandlockScope : std::uint64_t {
  kScopeAbstractUnixSocket = 1ULL << 0,  // ABI 6, Linux 6.12
  kScopeSignal = 1ULL << 1,
};

struct LandlockRulesetAttr {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;  // from ABI 4
  std::uint64_t scoped = 0;              // from ABI 6
};

struct [[gnu::packed]] LandlockPathBeneathAttr {
  std::uint64_t allowed_access = 0;
  std::int32_t parent_fd = -1;
};

struct LandlockNetPortAttr {
  std::uint64_t allowed_access = 0;
  std::uint64_t port = 0;
};

inline constexpr std::uint32_t kLandlockCreateRulesetVersion = 1U << 0;
inline constexpr std::uint32_t kLandlockCreateRulesetErrata = 1U << 1;   // ABI 7, and backports
inline constexpr std::uint32_t kLandlockRestrictSelfTsync = 1U << 3;     // ABI 8, Linux 7.0
inline constexpr int kLandlockRulePathBeneath = 1;
inline constexpr int kLandlockRuleNetPort = 2;
inline constexpr int kNewestLandlockAbi = 10;

// --- system call numbers above 423 are the same on every architecture ---------------------------
inline constexpr long kNrMoveMount = 429;
inline constexpr long kNrFsopen = 430;
inline constexpr long kNrFsconfig = 431;
inline constexpr long kNrFsmount = 432;
inline constexpr long kNrOpenTree = 428;
inline constexpr long kNrPidfdOpen = 434;
inline constexpr long kNrPidfdSendSignal = 424;
inline constexpr long kNrCloseRange = 436;
inline constexpr long kNrOpenat2 = 437;
inline constexpr long kNrPidfdGetfd = 438;
inline constexpr long kNrMountSetattr = 442;
inline constexpr long kNrFchmodat2 = 452;
inline constexpr long kNrFileSetattr = 469;
inline constexpr long kNrLandlockCreateRuleset = 444;
inline constexpr long kNrLandlockAddRule = 445;
inline constexpr long kNrLandlockRestrictSelf = 446;

// --- others -----------------------------------------------------------------------------------
struct OpenHow {
  std::uint64_t flags = 0;
  std::uint64_t mode = 0;
  std::uint64_t resolve = 0;
};
inline constexpr std::uint64_t kResolveNoXdev = 0x01;
inline constexpr std::uint64_t kResolveNoMagiclinks = 0x02;
inline constexpr std::uint64_t kResolveNoSymlinks = 0x04;
inline constexpr std::uint64_t kResolveBeneath = 0x08;
inline constexpr std::uint64_t kResolveInRoot = 0x10;

inline constexpr unsigned kCloseRangeUnshare = 1U << 1;
inline constexpr unsigned kCloseRangeCloexec = 1U << 2;

struct MountAttr {
  std::uint64_t attr_set = 0;
  std::uint64_t attr_clr = 0;
  std::uint64_t propagation = 0;
  std::uint64_t userns_fd = 0;
};
inline constexpr std::uint64_t kMountAttrRdonly = 0x1;
inline constexpr std::uint64_t kMountAttrNosuid = 0x2;
inline constexpr std::uint64_t kMountAttrNodev = 0x4;
inline constexpr std::uint64_t kMountAttrNoexec = 0x8;
inline constexpr unsigned kAtRecursive = 0x8000;
inline constexpr unsigned kAtEmptyPath = 0x1000;
inline constexpr unsigned kOpenTreeClone = 1;
inline constexpr unsigned kFsopenCloexec = 1;
inline constexpr unsigned kFsconfigSetString = 1;
inline constexpr unsigned kFsconfigCmdCreate = 6;
inline constexpr unsigned kFsmountCloexec = 1;
inline constexpr unsigned kMoveMountFEmptyPath = 0x4;
inline constexpr unsigned kMoveMountTEmptyPath = 0x40;

inline constexpr std::uint64_t kClonePidfd = 0x1000;

}  // namespace nono::kernel
