// The parts of the extension module nono_py._nono_py. Each adds its names to the module; what they
// mean is decided in src/, here values only change their language.
// All of it runs with the GIL held unless a file says where it lets go of it.
#pragma once

#include <nanobind/nanobind.h>

namespace nono::python {

namespace nb = nanobind;

void bind_access_mode(nb::module_& module);
void bind_capabilities(nb::module_& module);
void bind_sandbox_state(nb::module_& module);
void bind_query(nb::module_& module);
void bind_support(nb::module_& module);
void bind_policy(nb::module_& module);
void bind_apply(nb::module_& module);
void bind_exec_result(nb::module_& module);
void bind_exec(nb::module_& module);
void bind_async_child(nb::module_& module);
void bind_stream(nb::module_& module);
void bind_job(nb::module_& module);
void bind_plan(nb::module_& module);
void bind_diagnostics(nb::module_& module);
void bind_file_tools(nb::module_& module);

}  // namespace nono::python
