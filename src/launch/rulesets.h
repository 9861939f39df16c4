// A plan's Landlock rules as rulesets of this kernel.
#pragma once

#include <memory>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "plan/landlock_rules.h"

namespace nono::launch {

[[nodiscard]] Result<Fd> make_ruleset(const plan::LandlockRules& rules);

// The last ruleset made, for as long as the rules stay the same. Keeps no granted file open.
class RulesetCache {
 public:
  // A descriptor that is valid until the next call.
  [[nodiscard]] Result<int> get(const plan::LandlockRules& rules);

 private:
  [[nodiscard]] bool holds(const plan::LandlockRules& rules) const;

  plan::LandlockRules rules_;  // its handles are in `handles_`
  std::vector<std::weak_ptr<const capability::GrantHandle>> handles_;
  Fd ruleset_;
};

}  // namespace nono::launch
