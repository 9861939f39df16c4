// The effective policy record in words: for every boundary, what enforces it. Pure; reads only
// what the kernel will be told.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace nono::plan {

// One line: what stops what. `enforced_by` is "nothing" where nothing does.
struct Boundary {
  std::string name;         // "files", "udp", "process tree", ...
  std::string enforced_by;  // "landlock", "seccomp", "mount namespace", "rlimit", "credentials"
  std::string detail;
};

[[nodiscard]] std::vector<Boundary> boundaries_of(const Plan& plan);

}  // namespace nono::plan
