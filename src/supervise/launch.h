// A command with the supervisor that its plan needs, if it needs one.
#pragma once

#include <memory>

#include "base/result.h"
#include "launch/child.h"
#include "launch/command.h"
#include "plan/plan.h"

namespace nono::supervise {

// Errors: as Child::launch.
[[nodiscard]] Result<std::unique_ptr<launch::Child>> launch(plan::Plan plan, launch::Command command);

}  // namespace nono::supervise
