#include "launch/plan_here.h"

#include "launch/view.h"

namespace nono::launch {

Result<plan::Plan> plan_here(const capability::CapabilitySet& capabilities, const plan::Options& options) {
  kernel::HostFacts facts = kernel::host_facts();
  if (plan::asks_for_view(capabilities, facts, options)) facts = kernel::host_facts_with_namespaces();
  return plan::make_plan(capabilities, facts, options);
}

Result<plan::Plan> startable_plan_here(const capability::CapabilitySet& capabilities, const plan::Options& options) {
  plan::Plan plan = NONO_TRY(plan_here(capabilities, options));
  if (plan.view) (void)NONO_TRY(ViewKey::of(*plan.view));
  return plan;
}

}  // namespace nono::launch
