// Finding the program of a command on the host, before any process exists.
#pragma once

#include <string>

#include "base/result.h"

namespace nono::launch {

// With a '/': that path (relative to this process's directory). Without: the first executable
// regular file of that name in `search_path` (a PATH value). Canonical, so that a relative name
// cannot mean something else in the child's directory. kProgramNotFound.
[[nodiscard]] Result<std::string> find_program(const std::string& name, const std::string& search_path);

// The PATH of this process, now.
[[nodiscard]] std::string host_search_path();

}  // namespace nono::launch
