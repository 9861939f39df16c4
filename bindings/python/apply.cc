// The calling process itself under a sandbox, for good. All variants enforce the same: Landlock and
// the seccomp filter on every thread, or an exception and nothing changed.
#include "launch/apply.h"

#include "bindings.h"
#include "capability/capability_set.h"
#include "detected_abi.h"
#include "errors.h"
#include "launch/plan_here.h"

namespace nono::python {
namespace {

using capability::CapabilitySet;

void apply(const CapabilitySet& caps) {
  plan::Options options;
  options.subject = plan::Subject::kThisProcess;
  const plan::Plan plan = take(launch::plan_here(caps, options));
  static_cast<void>(take(launch::apply(plan)));
}

void apply_seccomp(const CapabilitySet& caps, bool external_tcp) {
  apply(external_tcp ? caps.without_network_rules() : caps);
}

}  // namespace

void bind_apply(nb::module_& module) {
  const char* doc = "Put this process under a sandbox, for good: every thread, or RuntimeError.";
  module.def("apply", apply, nb::arg("caps"), doc);
  module.def("apply_landlock", apply, nb::arg("caps"), doc);
  module.def("apply_seccomp", apply_seccomp, nb::arg("caps"), nb::arg("external_tcp") = false,
             "The same; external_tcp=True leaves the network to somebody else.");
  module.def("apply_external", [] {}, "Nothing: a marker for `somebody else filters TCP`.");

  const auto with_abi = [](const CapabilitySet& caps, const DetectedAbi&) { apply(caps); };
  module.def("apply_auto_with_abi", with_abi, nb::arg("caps"), nb::arg("abi"), doc);
  module.def("apply_landlock_with_abi", with_abi, nb::arg("caps"), nb::arg("abi"), doc);
  module.def(
      "apply_seccomp_with_abi",
      [](const CapabilitySet& caps, const DetectedAbi&, bool external_tcp) { apply_seccomp(caps, external_tcp); },
      nb::arg("caps"), nb::arg("abi"), nb::arg("external_tcp") = false, doc);
}

}  // namespace nono::python
