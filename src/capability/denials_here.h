// The denials of a set as they are on this host now: literal ones that a grant covers are looked up (is anything there,
// under how many names?), and with the name "git" protected the repositories in the grants are looked for. Asks the file system;
// for each plan, so a few system calls at most for each of them.
#pragma once

#include "capability/capability_set.h"

namespace nono::capability {

[[nodiscard]] DenialList denials_here(const CapabilitySet& set);

}  // namespace nono::capability
