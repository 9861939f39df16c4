// Policy, ResolvedPolicy and the functions around them.
#include "policy/policy_document.h"

#include "base/text.h"
#include "bindings.h"
#include "capability/policy_groups.h"
#include "convert.h"
#include "errors.h"
#include "policy/embedded_policy.h"

namespace nono::python {
namespace {

using capability::CapabilitySet;
using capability::ResolvedPolicy;
using policy::Policy;

capability::GroupResolution resolve(const Policy& policy, nb::handle names, const CapabilitySet& base) {
  return take(capability::resolve_groups(policy, to_texts(names, "group_names"), base,
                                         capability::current_environment()));
}

void bind_policy_class(nb::module_& module) {
  nb::class_<Policy>(module, "Policy", nb::is_final(), "A policy document: named groups of rules.")
      .def("group_names", [](const Policy& policy) { return to_list(policy.group_names()); }, "Sorted.")
      .def(
          "group_description",
          [](const Policy& policy, nb::handle name) -> nb::object {
            const auto description = policy.group_description(to_text(name, "name"));
            return description ? nb::object(to_str(*description)) : nb::none();
          },
          nb::arg("name"))
      .def(
          "resolve_groups",
          [](const Policy& policy, nb::handle names, CapabilitySet& caps) {
            capability::GroupResolution resolution = resolve(policy, names, caps);
            caps = std::move(resolution.capabilities);
            return resolution.resolved;
          },
          nb::arg("group_names"), nb::arg("caps"),
          "Add what the groups allow to `caps`; on error `caps` stays as it was.")
      .def(
          "resolve_deny_paths",
          [](const Policy& policy, nb::handle names) {
            return to_list(resolve(policy, names, CapabilitySet()).resolved.deny_paths);
          },
          nb::arg("group_names"))
      .def(
          "validate_group_exclusions",
          [](const Policy& policy, nb::handle names) {
            check(policy.validate_group_exclusions(to_texts(names, "excluded_groups")));
          },
          nb::arg("excluded_groups"))
      .def("__repr__",
           [](const Policy& policy) { return to_str(cat("Policy(groups=", policy.groups.size(), ")")); });
}

void bind_resolved_policy(nb::module_& module) {
  nb::class_<ResolvedPolicy>(module, "ResolvedPolicy", nb::is_final(), "What some groups came to on this host.")
      .def_prop_ro("names", [](const ResolvedPolicy& policy) { return to_list(policy.names); })
      .def_prop_ro("deny_paths", [](const ResolvedPolicy& policy) { return to_list(policy.deny_paths); })
      .def_prop_ro("needs_unlink_overrides",
                   [](const ResolvedPolicy& policy) { return policy.needs_unlink_overrides; })
      .def("__repr__", [](const ResolvedPolicy& policy) {
        return to_str(cat("ResolvedPolicy(names=", policy.names.size(), ", deny_paths=", policy.deny_paths.size(),
                          ", needs_unlink_overrides=", policy.needs_unlink_overrides ? "true" : "false", ")"));
      });
}

}  // namespace

void bind_policy(nb::module_& module) {
  bind_policy_class(module);
  bind_resolved_policy(module);
  module.def(
      "load_policy", [](nb::handle json) { return take(policy::parse_policy(to_utf8(json, "json"))); },
      nb::arg("json"), "Parse a policy document; unknown keys are errors.");
  module.def("load_embedded_policy", [] { return take(policy::parse_policy(policy::embedded_policy_json())); },
             "The policy that comes with nono.");
  module.def("embedded_policy_json", [] { return to_str(policy::embedded_policy_json()); },
             "The text of the policy that comes with nono.");
  module.def(
      "validate_deny_overlaps",
      [](nb::handle deny_paths, const CapabilitySet& caps) {
        check(capability::validate_deny_overlaps(to_texts(deny_paths, "deny_paths"), caps));
      },
      nb::arg("deny_paths"), nb::arg("caps"), "Refuse deny paths that a grant covers.");
  module.def(
      "apply_unlink_overrides", [](const CapabilitySet&) {}, nb::arg("caps"),
      "Without effect on Linux, where a write grant includes removing.");
}

}  // namespace nono::python
