// `nono run --dry-run`: the effective policy record for people. Pure; for programs there is
// plan/record.h. Paths and words are escaped.
#pragma once

#include <string>

#include "launch/command.h"
#include "plan/plan.h"

namespace nono::cli {

[[nodiscard]] std::string policy_report(const plan::Plan& plan, const launch::Command& command);

}  // namespace nono::cli
