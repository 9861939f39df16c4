// What has to be done for the denials of a set: nothing for a path that no grant covers, for Landlock
// refuses it anyway; a cover in the mount view for the others. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "capability/capability_set.h"

namespace nono::plan {

struct Covers {
  std::vector<std::string> pinned;   // as in View
  std::vector<std::string> covered;
};

// kSandboxInit, naming the denial, for what a view cannot do: a grant inside a denied directory, a
// denial of / or below /proc.
[[nodiscard]] Result<Covers> covers_for(const capability::CapabilitySet& set);

}  // namespace nono::plan
