// Judge: one waiting call, from what seccomp says of it to its answer.
#pragma once

#include <linux/seccomp.h>

#include <functional>
#include <vector>

#include "capability/capability_set.h"
#include "kernel/host_facts.h"
#include "plan/plan.h"

namespace nono::supervise {

// What a judgement needs of a plan. Value.
struct Law {
  explicit Law(const plan::Plan& plan) : arch(plan.facts.arch), grants(plan.grants), denials(plan.denials) {}
  kernel::Arch arch;
  capability::GrantList grants;
  std::vector<capability::Denial> denials;
};

// Performs the call if the plan allows it. 0 or the errno that answers it. `still_waits` is asked after all
// has been read and before anything is done: the thread may have ended, and its number be another's.
[[nodiscard]] int answer(const Law& law, const seccomp_notif& call, const std::function<bool()>& still_waits);

}  // namespace nono::supervise
