#include "plan/landlock_rules.h"

#include <sys/stat.h>

#include "kernel/uapi.h"

namespace nono::plan {
namespace {

using namespace kernel;

constexpr std::uint64_t kRead = kFsExecute | kFsReadFile | kFsReadDir;
constexpr std::uint64_t kWrite = kFsWriteFile | kFsRemoveDir | kFsRemoveFile | kFsMakeChar |
                                 kFsMakeDir | kFsMakeReg | kFsMakeSock | kFsMakeFifo |
                                 kFsMakeBlock | kFsMakeSym | kFsRefer | kFsTruncate;
// A rule on anything but a directory may carry only these.
constexpr std::uint64_t kFileRights =
    kFsExecute | kFsWriteFile | kFsReadFile | kFsTruncate | kFsIoctlDev;

bool may_need_device_ioctl(const capability::FsCapability& grant) {
  const mode_t mode = grant.handle->identity.mode;
  return S_ISCHR(mode) || S_ISBLK(mode) || capability::is_within("/dev", grant.resolved);
}

}  // namespace

std::uint64_t fs_rights(int abi) {
  std::uint64_t rights = (kFsMakeSym << 1) - 1;  // ABI 1: bits 0 to 12
  if (abi >= 2) rights |= kFsRefer;
  if (abi >= 3) rights |= kFsTruncate;
  if (abi >= 5) rights |= kFsIoctlDev;
  if (abi >= 9) rights |= kFsResolveUnix;
  return abi >= 1 ? rights : 0;
}

std::uint64_t net_rights(int abi) {
  std::uint64_t rights = 0;
  if (abi >= 4) rights |= kNetBindTcp | kNetConnectTcp;
  if (abi >= 10) rights |= kNetBindUdp | kNetConnectSendUdp;
  return rights;
}

std::uint64_t scopes(int abi) { return abi >= 6 ? kScopeAbstractUnixSocket | kScopeSignal : 0; }

std::uint64_t rights_of(const capability::FsCapability& grant, int abi) {
  std::uint64_t rights = 0;
  if (reads(grant.access)) rights |= kRead;
  if (writes(grant.access)) {
    rights |= kWrite;
    if (may_need_device_ioctl(grant)) rights |= kFsIoctlDev;
  }
  if (grant.is_file) rights &= kFileRights;
  if (grant.pattern) rights &= ~kFsExecute;  // a program is run by any of its names, and nobody is asked
  return rights & fs_rights(abi);
}

LandlockRules landlock_rules(const capability::CapabilitySet& capabilities, int abi) {
  LandlockRules rules;
  rules.abi = abi;
  rules.handled_fs = fs_rights(abi);
  rules.scoped = scopes(abi);
  for (const auto& grant : capabilities.fs()) {
    rules.paths.push_back({grant.resolved, grant.handle, rights_of(grant, abi)});
  }
  const bool has_ports = !capabilities.connect_ports().empty() || !capabilities.bind_ports().empty();
  if (capabilities.is_network_blocked() || has_ports) {
    rules.handled_net = net_rights(abi);
    for (const auto port : capabilities.connect_ports()) rules.ports.push_back({port, kNetConnectTcp});
    for (const auto port : capabilities.bind_ports()) rules.ports.push_back({port, kNetBindTcp});
  }
  return rules;
}

}  // namespace nono::plan
