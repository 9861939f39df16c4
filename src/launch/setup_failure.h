// The words for a step of child_main that failed.
#pragma once

#include "launch/child_main.h"
#include "launch/command.h"

namespace nono::launch {

[[nodiscard]] SetupFailure describe_setup_failure(const Failure& failure, const Launch& launch);

}  // namespace nono::launch
