// The effective policy record in words: for every boundary, what enforces it. Pure; reads only
// what the kernel will be told.
#pragma once

#include <vector>

#include "capability/capability_set.h"
#include "plan/plan.h"

namespace nono::plan {

[[nodiscard]] std::vector<Boundary> boundaries_of(const Plan& plan,
                                                  const capability::CapabilitySet& capabilities);

}  // namespace nono::plan
