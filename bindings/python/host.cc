#include "host.h"

namespace nono::python {

Result<plan::Plan> plan_here(const capability::CapabilitySet& caps, const plan::Options& options) {
  kernel::HostFacts facts = kernel::host_facts();
  if (plan::asks_for_view(caps, facts, options)) facts = kernel::host_facts_with_namespaces();
  return plan::make_plan(caps, facts, options);
}

}  // namespace nono::python
