// A plan for this host.
#pragma once

#include "plan/plan.h"

namespace nono::python {

// Namespaces are tried out (one short-lived process, once per host process) only when a plan asks.
[[nodiscard]] Result<plan::Plan> plan_here(const capability::CapabilitySet& caps, const plan::Options& options);

}  // namespace nono::python
