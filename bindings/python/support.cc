// is_supported, support_info, detect_abi.
#include <algorithm>

#include "base/text.h"
#include "bindings.h"
#include "capability/capability_set.h"
#include "convert.h"
#include "detected_abi.h"
#include "errors.h"
#include "launch/plan_here.h"

namespace nono::python {

Result<DetectedAbi> detect_abi() {
  constexpr int kNewestName = 6;
  const kernel::HostFacts facts = kernel::host_facts();
  if (facts.landlock_abi < 1) {
    return fail(ErrorKind::kSandboxInit,
                cat("Sandbox initialization failed: No supported Landlock ABI detected (last error: ABI V1: ",
                    os_error(facts.landlock_error), ")"));
  }
  return DetectedAbi{std::min(facts.landlock_abi, kNewestName)};
}

std::vector<std::string> feature_names(DetectedAbi abi) {
  constexpr std::pair<int, const char*> kFeatures[] = {
      {1, "Basic filesystem access control"},
      {2, "File rename across directories (Refer)"},
      {3, "File truncation (Truncate)"},
      {4, "TCP network filtering"},
      {5, "Device ioctl filtering"},
      {6, "Signal and abstract UNIX socket scoping"},
  };
  std::vector<std::string> names;
  for (const auto& [since, name] : kFeatures) {
    if (abi.version >= since) names.emplace_back(name);
  }
  return names;
}

namespace {

struct SupportInfo {
  bool is_supported = false;
  std::string details;
};

// Supported means that a command with no special wishes would start.
SupportInfo support_info() {
  const auto abi = detect_abi();
  if (!abi) {
    return {false, "Landlock not available. Requires Linux kernel 5.13+ with Landlock enabled."};
  }
  const plan::Options options;
  const auto plan = launch::plan_here(capability::CapabilitySet(), options);
  if (!plan) return {false, plan.error().message};
  return {true, cat("Landlock available (Landlock V", abi->version,
                    ", features: ", join(feature_names(*abi), ", "), ")")};
}

template <int Since>
bool has(const DetectedAbi& abi) {
  return abi.version >= Since;
}

void bind_abi(nb::module_& module) {
  nb::class_<DetectedAbi>(module, "DetectedAbi", nb::is_final(), "The Landlock version of this kernel.")
      .def_prop_ro("version", [](const DetectedAbi& abi) { return to_str(cat("V", abi.version)); })
      .def_prop_ro("has_refer", has<2>)
      .def_prop_ro("has_truncate", has<3>)
      .def_prop_ro("has_execute", has<3>)
      .def_prop_ro("has_network", has<4>)
      .def_prop_ro("has_ioctl_dev", has<5>)
      .def_prop_ro("has_scoping", has<6>)
      .def_prop_ro("feature_names", [](const DetectedAbi& abi) { return to_list(feature_names(abi)); })
      .def("__repr__",
           [](const DetectedAbi& abi) { return to_str(cat("DetectedAbi(version='V", abi.version, "')")); });
  module.def("detect_abi", [] { return take(detect_abi()); });
}

}  // namespace

void bind_support(nb::module_& module) {
  bind_abi(module);
  nb::class_<SupportInfo>(module, "SupportInfo", nb::is_final(), "Can this host enforce a sandbox, and how?")
      .def_prop_ro("is_supported", [](const SupportInfo& info) { return info.is_supported; })
      .def_prop_ro("platform", [](const SupportInfo&) { return "linux"; })
      .def_prop_ro("details", [](const SupportInfo& info) { return to_str(info.details); })
      .def("__repr__", [](const SupportInfo& info) {
        return to_str(cat("SupportInfo(supported=", info.is_supported ? "true" : "false", ", platform='linux')"));
      });
  module.def("support_info", support_info);
  module.def("is_supported", [] { return support_info().is_supported; });
}

}  // namespace nono::python
