#include "launch/plan_here.h"

#include "capability/denials_here.h"
#include "launch/view.h"

namespace nono::launch {

Result<plan::Plan> plan_here(const capability::CapabilitySet& capabilities, const plan::Options& options) {
  kernel::HostFacts facts = kernel::host_facts();
  const bool has_denials = !capabilities.denials().empty();
  const capability::CapabilitySet found =
      has_denials ? capabilities.with_denials(capability::denials_here(capabilities)) : capabilities;
  if (plan::asks_for_view(found, facts, options)) facts = kernel::host_facts_with_namespaces();
  if (options.isolation == plan::Isolation::kStrict) facts.root_links = kernel::root_links();
  return plan::make_plan(found, facts, options);
}

Result<plan::Plan> startable_plan_here(const capability::CapabilitySet& capabilities, const plan::Options& options) {
  plan::Plan plan = NONO_TRY(plan_here(capabilities, options));
  if (plan.view) (void)NONO_TRY(ViewKey::of(*plan.view));
  return plan;
}

}  // namespace nono::launch
