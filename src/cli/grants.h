// From the flags of a command line to capabilities. Asks the file system.
#pragma once

#include "base/result.h"
#include "capability/capability_set.h"
#include "cli/args.h"

namespace nono::cli {

// Errors name the flag: a path that is not there is an error, never left out in silence.
[[nodiscard]] Result<capability::CapabilitySet> capabilities_of(const GrantArguments& grants);

}  // namespace nono::cli
