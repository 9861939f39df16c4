// From a request to a running command.
#pragma once

#include <memory>

#include "base/result.h"
#include "launch/child.h"
#include "request.h"

namespace nono::python {

// Needs no GIL. kIo: the system is out of something; any other error: the sandbox cannot be
// enforced, which callers see as exit code 126.
[[nodiscard]] Result<std::unique_ptr<launch::Child>> start(Request request);

}  // namespace nono::python
