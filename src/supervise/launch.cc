#include "supervise/launch.h"

#include <utility>

#include "supervise/supervisor.h"

namespace nono::supervise {

Result<std::unique_ptr<launch::Child>> launch(plan::Plan plan, launch::Command command) {
  std::unique_ptr<launch::Supervision> supervision;
  if (plan.seccomp_rules.ask()) supervision = std::make_unique<Supervisor>();
  return launch::Child::launch(std::move(plan), std::move(command), std::move(supervision));
}

}  // namespace nono::supervise
