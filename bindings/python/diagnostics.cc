// Session reports that belong to no ExecResult.
#include "plan/diagnostics.h"

#include "base/text.h"
#include "bindings.h"
#include "convert.h"
#include "errors.h"

namespace nono::python {
namespace {

nb::object loads(nb::handle text) { return nb::module_::import_("json").attr("loads")(text); }

nb::object parse(nb::handle text, const char* what) {
  try {
    return loads(text);
  } catch (const nb::python_error& error) {
    if (!error.matches(PyExc_ValueError) && !error.matches(PyExc_RecursionError)) throw;
    raise(PyExc_ValueError, cat("Configuration parse error: parse ", what, ": ", nb::str(error.value()).c_str()));
  }
}

nb::dict merge(nb::str session, nb::handle proxy) {
  nb::dict merged;
  merged["session"] = parse(session, "session diagnostic JSON");
  if (!proxy.is_none() && !to_utf8(proxy, "proxy_diagnostics_json").empty()) {
    merged["proxy"] = parse(proxy, "proxy diagnostics JSON");
  }
  return merged;
}

}  // namespace

void bind_diagnostics(nb::module_& module) {
  module.def(
      "build_session_diagnostic_report",
      [](nb::handle exit_code) {
        return loads(to_str(plan::report_json(plan::session_report(to_int(exit_code)))));
      },
      nb::arg("exit_code"), "The general advice that follows an exit code.");
  module.def("merge_diagnostic_report_json", merge, nb::arg("session_report_json"),
             nb::arg("proxy_diagnostics_json").none() = nb::none(),
             "Both reports, parsed, under the keys `session` and `proxy`.");
}

}  // namespace nono::python
