// What has to be done for the denials of a set: nothing for a path that no grant covers, for Landlock
// refuses it anyway; a cover in the mount view for the others. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "capability/capability_set.h"

namespace nono::plan {

// What is to be done with a name: nothing but reading and listing, or making, writing, moving, linking, removing.
enum class Use { kRead, kChange };

// The denial that closes `place` (canonical) for this use, or null. A grant for this use inside what is denied
// beats the denial there; one of the very path does when a pattern or a protected name denies it, for it
// names it. One around it never does. Whether a grant covers the place at all is not asked.
// `holds`: asked of a denial that matches; those for which it says no do not count.
[[nodiscard]] const capability::Denial* denial_of(
    const std::vector<capability::FsCapability>& grants, const capability::DenialList& denials,
    const std::string& place, Use use,
    const std::function<bool(const capability::Denial&)>& holds = [](const auto&) { return true; });

// The denial that such a grant beats at `place`, or null.
[[nodiscard]] const capability::Denial* beaten_denial(const std::vector<capability::FsCapability>& grants,
                                                      const capability::DenialList& denials, const std::string& place,
                                                      Use use);

// The denial for which `place` is on the way to something denied (Denial::leads_to), or null.
[[nodiscard]] const capability::Denial* pinned_by(const capability::DenialList& denials, const std::string& place);

struct Covers {
  std::vector<std::string> pinned;   // as in View
  std::vector<std::string> covered;
};

// kSandboxInit, naming the denial, for what a view cannot do: a grant inside a denied directory, a
// denial of / or below /proc.
[[nodiscard]] Result<Covers> covers_for(const capability::CapabilitySet& set);

}  // namespace nono::plan
