// apply: this very process under a plan, for good.
//
// Every thread is bound or none. From Landlock ABI 8 on the kernel does all at once; below that, and
// where threads have capabilities to lose, each does it itself (all_threads.h,
// docs/decisions/0008-apply-binds-every-thread.md). What can go wrong half way is looked for before; if it
// happens all the same, the error says how far it went, and the process has lost rights and gained none.
// Any thread; another call meanwhile is refused.
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
