// From the flags of a command line to the values that decide: capabilities, kernel facts, plan.
// Asks the file system and the kernel.
#pragma once

#include "base/result.h"
#include "capability/capability_set.h"
#include "cli/args.h"
#include "plan/plan.h"

namespace nono::cli {

// Errors name the flag: a path that is not there is an error, never left out in silence.
[[nodiscard]] Result<capability::CapabilitySet> capabilities_of(const GrantArguments& grants);

// Namespaces are probed, which costs a process, only when a plan would use them.
[[nodiscard]] Result<plan::Plan> plan_of(const capability::CapabilitySet& set, const plan::Options& options);

}  // namespace nono::cli
