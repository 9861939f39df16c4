#include "capability/denials_here.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "capability/git_names.h"

namespace nono::capability {

DenialList denials_here(const CapabilitySet& set) {
  DenialList::Denials own = set.denials().own();
  for (Denial& denial : own) {
    const auto covers = [&](const FsCapability& grant) { return grant.reaches(denial.resolved); };
    if (!denial.is_pattern() && std::ranges::any_of(set.fs(), covers)) denial.look();
  }
  if (set.protected_names().contains("git")) {
    std::ranges::move(git_names_here(set.fs()), std::back_inserter(own));
  }
  if (own.empty()) return set.denials();
  return {std::make_shared<const DenialList::Denials>(std::move(own)), set.denials().shared_built_in()};
}

}  // namespace nono::capability
