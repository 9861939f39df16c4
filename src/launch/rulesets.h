// A plan's Landlock rules as rulesets of this kernel.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "plan/landlock_rules.h"

namespace nono::launch {

[[nodiscard]] Result<Fd> make_ruleset(const plan::LandlockRules& rules);

}  // namespace nono::launch
