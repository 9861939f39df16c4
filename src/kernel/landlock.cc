#include "kernel/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "base/text.h"
#include "kernel/fd_table.h"

namespace nono::kernel {
namespace {

Status failed(const char* call) {
  return fail(ErrorKind::kSandboxInit, cat("Sandbox initialization failed: ", call, ": ", os_error(errno)));
}

// An older kernel refuses a structure with unknown bytes that are not zero, and accepts a shorter
// one: pass only as much as carries something.
std::size_t used_size(const LandlockRulesetAttr& attr) {
  if (attr.scoped != 0) return sizeof attr;
  if (attr.handled_access_net != 0) return offsetof(LandlockRulesetAttr, scoped);
  return offsetof(LandlockRulesetAttr, handled_access_net);
}

}  // namespace

int landlock_abi(int* error) {
  const long abi = syscall(kNrLandlockCreateRuleset, nullptr, 0, kLandlockCreateRulesetVersion);
  if (abi >= 0) return static_cast<int>(abi);
  if (error != nullptr) *error = errno;
  return 0;
}

std::uint32_t landlock_errata() {
  const long errata = syscall(kNrLandlockCreateRuleset, nullptr, 0, kLandlockCreateRulesetErrata);
  return errata < 0 ? 0 : static_cast<std::uint32_t>(errata);
}

Result<Fd> landlock_create_ruleset(const LandlockRulesetAttr& attr) {
  const long fd = syscall(kNrLandlockCreateRuleset, &attr, used_size(attr), 0);
  if (fd < 0) return tl::unexpected(failed("landlock_create_ruleset").error());
  return above_stdio(Fd(static_cast<int>(fd)));
}

Status landlock_add_path_rule(const Fd& ruleset, int path_fd, std::uint64_t access) {
  const LandlockPathBeneathAttr attr{access, path_fd};
  if (syscall(kNrLandlockAddRule, ruleset.get(), kLandlockRulePathBeneath, &attr, 0) != 0) {
    return failed("landlock_add_rule");
  }
  return {};
}

Status landlock_add_port_rule(const Fd& ruleset, std::uint16_t port, std::uint64_t access) {
  const LandlockNetPortAttr attr{access, port};
  if (syscall(kNrLandlockAddRule, ruleset.get(), kLandlockRuleNetPort, &attr, 0) != 0) {
    return failed("landlock_add_rule");
  }
  return {};
}

Status landlock_restrict_self(const Fd& ruleset, std::uint32_t flags) {
  if (syscall(kNrLandlockRestrictSelf, ruleset.get(), flags) != 0) {
    return failed("landlock_restrict_self");
  }
  return {};
}

}  // namespace nono::kernel
