// Grants whose meaning an earlier run could have changed: `--allow . --read ./data` grants what `data`
// links to, and whoever may write to `.` may have made that link.
#pragma once

#include "base/result.h"
#include "capability/capability_set.h"
#include "cli/args.h"

namespace nono::cli {

// kSandboxInit, naming the link, when a path of the command line goes through one that lies where
// one of `grants` may be written.
[[nodiscard]] Status check_planted_links(const GrantArguments& grants, const capability::CapabilitySet& set);

}  // namespace nono::cli
