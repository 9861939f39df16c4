#include <nanobind/nanobind.h>

#include "bindings.h"

NB_MODULE(_nono_py, module) {
  using namespace nono::python;
  // A host that exits with objects of ours still referenced has done nothing wrong.
  nb::set_leak_warnings(false);
  module.doc() = "The native part of nono_py; import names from nono_py instead.";
  bind_access_mode(module);
  bind_capabilities(module);
  bind_sandbox_state(module);
  bind_query(module);
  bind_support(module);
  bind_policy(module);
  bind_apply(module);
  bind_exec_result(module);
  bind_exec(module);
  bind_async_child(module);
  bind_stream(module);
  bind_job(module);
  bind_plan(module);
  bind_diagnostics(module);
  bind_file_tools(module);
}
