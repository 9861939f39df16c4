// What a CapabilitySet means in Landlock's terms. Pure.
//
// Every right the running ABI offers is handled, so that whatever is not granted is refused;
// an unhandled right would be allowed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capability/capability_set.h"

namespace nono::plan {

struct LandlockPathRule {
  std::string path;  // for people; the rule is the descriptor
  std::shared_ptr<const capability::GrantHandle> handle;
  std::uint64_t access = 0;  // kernel::LandlockFs bits
};

struct LandlockPortRule {
  std::uint16_t port = 0;
  std::uint64_t access = 0;  // kernel::LandlockNet bits
  bool operator==(const LandlockPortRule&) const = default;
};

struct LandlockRules {
  int abi = 0;
  std::uint64_t handled_fs = 0;
  std::uint64_t handled_net = 0;
  std::uint64_t scoped = 0;
  std::vector<LandlockPathRule> paths;
  std::vector<LandlockPortRule> ports;
};

// All fs rights that `abi` knows.
[[nodiscard]] std::uint64_t fs_rights(int abi);
[[nodiscard]] std::uint64_t net_rights(int abi);
[[nodiscard]] std::uint64_t scopes(int abi);

// The rights one grant turns into on `abi`.
[[nodiscard]] std::uint64_t rights_of(const capability::FsCapability& grant, int abi);

[[nodiscard]] LandlockRules landlock_rules(const capability::CapabilitySet& capabilities, int abi);

}  // namespace nono::plan
