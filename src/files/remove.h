// The delete tool: a file, a link, or a directory with all it holds, as far as each name may be removed.
#pragma once

#include <string>

#include "files/failure.h"
#include "files/reach.h"

namespace nono::files {

// A link at the end of `path` is removed itself, and none is followed below. What cannot be removed stays, and the rest goes;
// the first failure is told.
[[nodiscard]] Expected<void> remove_tree(Reach& reach, const std::string& path);

}  // namespace nono::files
