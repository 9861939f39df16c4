// Policy groups turned into grants of this host: the step from `policy/` values to a CapabilitySet.
//
// All or nothing: `resolve_groups` returns a new set, or an error and the caller's set unchanged.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "capability/capability_set.h"
#include "policy/expand_path.h"
#include "policy/policy_document.h"

namespace nono::capability {

struct ResolvedPolicy {
  std::vector<std::string> names;       // groups that apply on this platform, in the order given
  std::vector<std::string> deny_paths;  // expanded; each with its canonical form when that differs
  bool needs_unlink_overrides = false;
};

struct GroupResolution {
  CapabilitySet capabilities;
  ResolvedPolicy resolved;
};

// Unknown group: kConfigParse "Configuration parse error: Unknown policy group: 'X'".
[[nodiscard]] Result<GroupResolution> resolve_groups(const policy::Policy& policy,
                                                     const std::vector<std::string>& names,
                                                     const CapabilitySet& base,
                                                     const policy::Environment& environment);

// The process's HOME and TMPDIR, read now.
[[nodiscard]] policy::Environment current_environment();

// Linux: kSandboxInit when a deny path cannot be enforced because a grant covers it: it lies
// below, or is, a directory grant of any source, or is a file grant.
[[nodiscard]] Status validate_deny_overlaps(const std::vector<std::string>& deny_paths,
                                            const CapabilitySet& set);

}  // namespace nono::capability
