// A plan for this host, as it is now.
#pragma once

#include "base/result.h"
#include "plan/plan.h"

namespace nono::launch {

// Namespaces are tried out (one short-lived process, once per host process) only when a plan asks.
// Errors: as plan::make_plan.
[[nodiscard]] Result<plan::Plan> plan_here(const capability::CapabilitySet& capabilities, const plan::Options& options);

// The same for whoever only shows it: also refused for what the start would find in the file system and
// refuse (what leads to a denied path is gone).
[[nodiscard]] Result<plan::Plan> startable_plan_here(const capability::CapabilitySet& capabilities,
                                                     const plan::Options& options);

}  // namespace nono::launch
