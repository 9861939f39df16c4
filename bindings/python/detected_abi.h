// DetectedAbi: what this kernel's Landlock can do, as far as callers distinguish it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace nono::python {

struct DetectedAbi {
  int version = 1;  // 1 to 6; later kernels count as 6
};

// kSandboxInit without Landlock.
[[nodiscard]] Result<DetectedAbi> detect_abi();
[[nodiscard]] std::vector<std::string> feature_names(DetectedAbi abi);

}  // namespace nono::python
