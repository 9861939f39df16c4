// The one list of parameters that sandboxed_exec and everything else that starts a command share.
#pragma once

#include "request.h"

namespace nono::python {

template <class Run>
void def_with_exec_arguments(nb::module_& module, const char* name, Run run, const char* doc) {
  using Any = nb::handle;
  const auto optional = [](const char* parameter) { return nb::arg(parameter).none() = nb::none(); };
  module.def(
      name,
      [run](const capability::CapabilitySet& caps, Any command, Any cwd, Any timeout_secs, Any env, bool inherit_env,
            Any max_processes, Any max_cpu_seconds, Any max_file_size_bytes, Any max_open_files, Any uid, Any gid,
            Any enforcement_mode, Any standard_input, Any standard_error, Any max_output_bytes, Any max_memory_bytes,
            Any isolation) {
        return run(exec_request(caps, {.command = command,
                                       .cwd = cwd,
                                       .timeout_secs = timeout_secs,
                                       .standard_input = standard_input,
                                       .standard_error = standard_error,
                                       .max_output_bytes = max_output_bytes,
                                       .plan = {.env = env,
                                                .inherit_env = inherit_env,
                                                .max_processes = max_processes,
                                                .max_cpu_seconds = max_cpu_seconds,
                                                .max_file_size_bytes = max_file_size_bytes,
                                                .max_open_files = max_open_files,
                                                .uid = uid,
                                                .gid = gid,
                                                .enforcement_mode = enforcement_mode,
                                                .max_memory_bytes = max_memory_bytes,
                                                .isolation = isolation}}));
      },
      nb::arg("caps"), nb::arg("command"), optional("cwd"), optional("timeout_secs"), optional("env"),
      nb::arg("inherit_env") = false, optional("max_processes"), optional("max_cpu_seconds"),
      optional("max_file_size_bytes"), optional("max_open_files"), optional("uid"), optional("gid"),
      nb::arg("enforcement_mode") = "auto", nb::kw_only(), optional("stdin"), nb::arg("stderr") = "pipe",
      optional("max_output_bytes"), optional("max_memory_bytes"), nb::arg("isolation") = "auto", doc);
}

}  // namespace nono::python
