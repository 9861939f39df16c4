// One call's arguments, checked in the documented order; nothing has been started.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "bindings.h"
#include "capability/capability_set.h"
#include "launch/command.h"
#include "plan/plan.h"

namespace nono::python {

// The arguments that shape the plan, as Python gave them.
struct PlanArguments {
  nb::handle env;
  bool inherit_env = false;
  nb::handle max_processes;
  nb::handle max_cpu_seconds;
  nb::handle max_file_size_bytes;
  nb::handle max_open_files;
  nb::handle uid;
  nb::handle gid;
  nb::handle enforcement_mode;
  nb::handle max_memory_bytes;
  nb::handle isolation;
};

struct ExecArguments {
  nb::handle command;
  nb::handle cwd;
  nb::handle timeout_secs;
  nb::handle standard_input;
  nb::handle standard_error;
  nb::handle max_output_bytes;
  PlanArguments plan;
};

// A copy of everything the call was given, so that the caller may change its objects meanwhile.
struct Request {
  capability::CapabilitySet capabilities;
  plan::Options options;
  launch::Command command;
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<std::size_t> max_output_bytes;
  std::optional<std::string> obstacle;  // why it cannot even be tried, in the words of its stderr
};

// Throw ValueError, RuntimeError, TypeError or OverflowError.
[[nodiscard]] plan::Options plan_options(const PlanArguments& arguments);
[[nodiscard]] Request exec_request(const capability::CapabilitySet& caps, const ExecArguments& arguments);

}  // namespace nono::python
