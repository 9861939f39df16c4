// The variables a command starts with: a fixed choice of the caller's and what --env adds.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "capability/capability_set.h"
#include "launch/environment.h"

namespace nono::cli {

// `requests` are NAME (the caller's value; kInvalidArgument when there is none) or NAME=VALUE.
[[nodiscard]] Result<launch::Environment> child_environment(const launch::Environment& host,
                                                            const std::vector<std::string>& requests);

// git ends with an error when its user has settings that it may not read: then it is told of none.
void keep_git_working(launch::Environment& environment, const capability::CapabilitySet& set);

// The PATH in it, to find the command with; empty when there is none.
[[nodiscard]] std::string search_path(const launch::Environment& environment);

}  // namespace nono::cli
