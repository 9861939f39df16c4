// apply: this very process under a plan, for good.
//
// Every thread is bound or none: the kernel does all at once from Landlock ABI 8 on; below that a
// process that already has threads is refused, because they would keep their full rights.
#pragma once

#include "base/result.h"
#include "plan/plan.h"

namespace nono::launch {

struct Applied {
  int threads = 0;  // bound
};

// The plan must have been made with Options::subject kThisProcess. kSandboxInit.
[[nodiscard]] Result<Applied> apply(const plan::Plan& plan);

}  // namespace nono::launch
