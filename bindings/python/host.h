// Which facts about this host a plan needs.
#pragma once

#include "kernel/host_facts.h"
#include "plan/plan.h"

namespace nono::python {

// Namespaces are tried out (one short-lived process, once per host process) only when asked for, or
// when this kernel's Landlock cannot hold a process tree without them.
[[nodiscard]] kernel::HostFacts facts_for(const plan::Options& options);

}  // namespace nono::python
