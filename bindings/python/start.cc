#include "start.h"

#include "launch/plan_here.h"
#include "supervise/launch.h"

namespace nono::python {

Result<std::unique_ptr<launch::Child>> start(Request request) {
  plan::Plan plan = NONO_TRY(launch::plan_here(request.capabilities, request.options));
  return supervise::launch(std::move(plan), std::move(request.command));
}

}  // namespace nono::python
