// What nearly every program of this system reads before it does anything of its own: programs,
// libraries, and the settings under /etc that tell nothing about the user. Not among them, on
// purpose: passwd and group, /etc/ssl/private, /proc, /tmp, any home.
#pragma once

#include "base/result.h"
#include "capability/capability_set.h"

namespace nono::cli {

// Adds them, source system, as far as they exist. The resolver's settings only when the set's
// network is open.
[[nodiscard]] Status add_system_paths(capability::CapabilitySet& set);

}  // namespace nono::cli
