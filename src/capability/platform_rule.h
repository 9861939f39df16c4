// Checks of a raw macOS Seatbelt rule, the same on every platform so that a program written on one
// fails on none. Input: the caller's own text. Pure.
#pragma once

#include <string>

#include "base/result.h"

namespace nono::capability {

// kInvalidArgument unless `rule` is one balanced S-expression that does not grant the whole tree.
[[nodiscard]] Status validate_platform_rule(const std::string& rule);

}  // namespace nono::capability
