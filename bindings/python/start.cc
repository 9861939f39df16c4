#include "start.h"

#include "host.h"
#include "supervise/launch.h"

namespace nono::python {

Result<std::unique_ptr<launch::Child>> start(Request request) {
  plan::Plan plan = NONO_TRY(plan_here(request.capabilities, request.options));
  return supervise::launch(std::move(plan), std::move(request.command));
}

}  // namespace nono::python
