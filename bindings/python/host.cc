#include "host.h"

namespace nono::python {

kernel::HostFacts facts_for(const plan::Options& options) {
  constexpr int kHoldsTrees = 6;  // the ABI with signal scopes
  kernel::HostFacts facts = kernel::host_facts();
  const bool wanted = options.isolation == plan::Isolation::kNamespaces ||
                      (options.isolation == plan::Isolation::kAuto && facts.landlock_abi < kHoldsTrees);
  if (!wanted || options.subject == plan::Subject::kThisProcess || facts.landlock_abi < 1) return facts;
  return kernel::host_facts_with_namespaces();
}

}  // namespace nono::python
