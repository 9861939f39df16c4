// Attempt: what became of a request to start a command: a child, or the result that says why there is none.
#pragma once

#include <memory>
#include <optional>

#include "exec_result.h"
#include "launch/child.h"
#include "request.h"

namespace nono::python {

struct Attempt {
  std::unique_ptr<launch::Child> child;
  std::optional<ExecResult> result;  // when there is no child
  ExecContext context;
};

// With the GIL, which is let go of meanwhile. Throws RuntimeError when the system is out of something.
[[nodiscard]] Attempt attempt(Request request);

}  // namespace nono::python
