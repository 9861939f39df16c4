// The child's environment: built, never inherited by accident. Pure but for `host_environment`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace nono::launch {

using Environment = std::vector<std::pair<std::string, std::string>>;

// The live environ of this process, now.
[[nodiscard]] Environment host_environment();

// `base` overridden by `extra`, later duplicates win, sorted by name. kInvalidArgument names a
// variable that is empty, malformed, or would steer the loader (LD_*, DYLD_*, LIBPATH, SHLIB_PATH).
[[nodiscard]] Result<Environment> make_environment(const Environment& base, const Environment& extra);

}  // namespace nono::launch
