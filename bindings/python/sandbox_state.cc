#include "capability/sandbox_state.h"

#include "base/text.h"
#include "bindings.h"
#include "convert.h"
#include "errors.h"

namespace nono::python {

void bind_sandbox_state(nb::module_& module) {
  using capability::SandboxState;
  nb::class_<SandboxState>(module, "SandboxState", nb::is_final(),
                           "A CapabilitySet as JSON, to hand to another process.")
      .def_static(
          "from_caps",
          [](const capability::CapabilitySet& caps) { return take(SandboxState::from_caps(caps)); },
          nb::arg("caps"))
      .def_static(
          "from_json", [](nb::handle json) { return take(SandboxState::from_json(to_utf8(json, "json"))); },
          nb::arg("json"))
      .def("to_json", [](const SandboxState& state) { return to_str(state.to_json()); })
      .def("to_caps", [](const SandboxState& state) { return take(state.to_caps()); },
           "Resolves every path again.")
      .def_prop_ro("net_blocked", &SandboxState::net_blocked)
      .def("__repr__", [](const SandboxState& state) {
        return to_str(cat("SandboxState(fs=", state.fs_count(),
                          ", net_blocked=", state.net_blocked() ? "true" : "false", ")"));
      });
}

}  // namespace nono::python
