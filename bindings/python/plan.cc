// plan: the effective policy record of a sandbox, without starting anything.
#include "bindings.h"
#include "convert.h"
#include "errors.h"
#include "launch/plan_here.h"
#include "plan/record.h"
#include "request.h"

namespace nono::python {

void bind_plan(nb::module_& module) {
  using Any = nb::handle;
  const auto optional = [](const char* parameter) { return nb::arg(parameter).none() = nb::none(); };
  module.def(
      "plan",
      [](const capability::CapabilitySet& caps, Any env, bool inherit_env, Any max_processes, Any max_cpu_seconds,
         Any max_file_size_bytes, Any max_open_files, Any uid, Any gid, Any enforcement_mode, Any max_memory_bytes,
         Any isolation) {
        const plan::Options options = plan_options({.env = env,
                                                    .inherit_env = inherit_env,
                                                    .max_processes = max_processes,
                                                    .max_cpu_seconds = max_cpu_seconds,
                                                    .max_file_size_bytes = max_file_size_bytes,
                                                    .max_open_files = max_open_files,
                                                    .uid = uid,
                                                    .gid = gid,
                                                    .enforcement_mode = enforcement_mode,
                                                    .max_memory_bytes = max_memory_bytes,
                                                    .isolation = isolation});
        const plan::Plan made = take(launch::startable_plan_here(caps, options));
        return nb::module_::import_("json").attr("loads")(to_str(plan::record_json(made)));
      },
      nb::arg("caps"), nb::kw_only(), optional("env"), nb::arg("inherit_env") = false, optional("max_processes"),
      optional("max_cpu_seconds"), optional("max_file_size_bytes"), optional("max_open_files"), optional("uid"),
      optional("gid"), nb::arg("enforcement_mode") = "auto", optional("max_memory_bytes"),
      nb::arg("isolation") = "auto", "The effective policy record: for every boundary, what enforces it.");
}

}  // namespace nono::python
