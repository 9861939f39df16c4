// Denials: which one closes a name, and what enforces them. Nothing has to be done for names that no grant covers, for
// Landlock refuses those anyway; others are covered in the mount view, or asked of the supervisor, which asks
// `denial_of` and `pinned_by` as explanations do. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "capability/capability_set.h"
#include "kernel/fd_table.h"
#include "plan/seccomp_rules.h"

namespace nono::plan {

// What is to be done with a name: nothing but reading and listing, or making, writing, moving, linking, removing.
enum class Use { kRead, kChange };
[[nodiscard]] inline bool gives(capability::AccessMode access, Use use) {
  return use == Use::kRead ? reads(access) : writes(access);
}

// What is at a place now, if anything is and it is known.
using Object = std::optional<kernel::Identity>;

// The denial that closes `place` (canonical) for this use, or null. A grant for this use inside what is denied
// beats the denial there; one of the very path does when a pattern or a protected name denies it, for it
// names it. One around it never does. Whether a grant covers the place at all is not asked, but of a file that is granted
// by another of its names: that is open by this one, too, unless the denial takes something from a grant that covers it.
[[nodiscard]] const capability::Denial* denial_of(const std::vector<capability::FsCapability>& grants,
                                                  const capability::DenialList& denials, const std::string& place,
                                                  const Object& object, Use use);
// The same where not every denial holds; `holds` is asked of each denial that matches; those for which it says no do not count.
[[nodiscard]] const capability::Denial* holding_denial(const std::vector<capability::FsCapability>& grants,
                                                       const capability::DenialList& denials, const std::string& place,
                                                       const Object& object, Use use, const std::function<bool(const capability::Denial&)>& holds);

// The denial that such a grant beats at `place`, or null.
[[nodiscard]] const capability::Denial* beaten_denial(const std::vector<capability::FsCapability>& grants,
                                                      const capability::DenialList& denials, const std::string& place,
                                                      const Object& object, Use use);

// The denial for which `place` is on the way to something denied (Denial::leads_to), or null.
[[nodiscard]] const capability::Denial* pinned_by(const capability::DenialList& denials, const std::string& place);

struct Covers {
  std::vector<std::string> pinned;   // as in View
  std::vector<std::string> covered;
};

// What enforces the denials of a set, and the patterns among its grants.
struct Enforcement {
  Covers covers;              // the mount view
  Names names = Names::kFree; // the supervisor
  const capability::Denial* supervised = nullptr;    // one of the set's that needs it, the user's own if there is one
  const capability::FsCapability* pattern = nullptr; // a grant that needs it
};

// With a view: literals that are there under one name and have no grant inside are covered; the rest is for the
// supervisor, and all patterns. kSandboxInit, naming the denial, for what neither can do: a denial of / or below /proc, or of a name
// that a symbolic link has taken since.
[[nodiscard]] Result<Enforcement> enforcement_of(const capability::CapabilitySet& set, bool with_view);

// Is there a denial that a view would cover?
[[nodiscard]] bool can_cover(const capability::CapabilitySet& set);

// Does the denial close anything that the grants open? Those that do not need nothing.
[[nodiscard]] bool matters(const capability::Denial& denial, const std::vector<capability::FsCapability>& grants);

}  // namespace nono::plan
