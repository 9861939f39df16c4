// A plan's Landlock rules as rulesets of this kernel.
#pragma once

#include <memory>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "plan/landlock_rules.h"

namespace nono::launch {

[[nodiscard]] Result<Fd> make_ruleset(const plan::LandlockRules& rules);

// Which rules a ruleset was made of, to tell whether it is still the right one. Keeps no granted
// file open.
class RulesetMemory {
 public:
  [[nodiscard]] bool holds(const plan::LandlockRules& rules) const;
  void remember(const plan::LandlockRules& rules);

 private:
  plan::LandlockRules rules_;  // its handles are in `handles_`
  std::vector<std::weak_ptr<const capability::GrantHandle>> handles_;
};

}  // namespace nono::launch
