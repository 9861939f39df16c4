// The effective policy record as JSON: what `--dry-run`, `plan(caps)` and the audit trail show.
#pragma once

#include <string>

#include "plan/plan.h"

namespace nono::plan {

// {"isolation", "kernel", "grants", "network", "boundaries", "seccomp", "limits", "environment"};
// environment by name only: values may be secrets.
[[nodiscard]] std::string record_json(const Plan& plan);

}  // namespace nono::plan
