// QueryContext: what a set would allow, without running anything.
#include "access_mode.h"
#include "bindings.h"
#include "capability/ancestry.h"
#include "capability/capability_set.h"
#include "capability/denials_here.h"
#include "convert.h"
#include "plan/explain.h"

namespace nono::python {
namespace {

struct QueryContext {
  capability::CapabilitySet capabilities;  // a copy: later changes to the original are not seen
};

nb::dict answer(const char* status, const char* reason) {
  nb::dict dict;
  dict["status"] = status;
  dict["reason"] = reason;
  return dict;
}

nb::dict query_path(const QueryContext& context, nb::handle path, AccessMode mode) {
  const plan::PathAnswer found =
      plan::explain_path(context.capabilities.fs(), capability::denials_here(context.capabilities),
                         capability::ancestry_of(to_text(path, "path")), mode.value);
  switch (found.reason) {
    case plan::PathAnswer::Reason::kGrantedPath: {
      nb::dict dict = answer("allowed", "granted_path");
      dict["granted_path"] = to_str(found.granted_path);
      dict["access"] = to_str(found.access);
      if (!found.beats_denial.empty()) dict["beats_denial"] = to_str(found.beats_denial);
      return dict;
    }
    case plan::PathAnswer::Reason::kInsufficientAccess: {
      nb::dict dict = answer("denied", "insufficient_access");
      dict["granted"] = to_str(found.access);
      dict["requested"] = to_str(found.requested);
      return dict;
    }
    case plan::PathAnswer::Reason::kDeniedPath: {
      nb::dict dict = answer("denied", "denied_path");
      dict["denied_path"] = to_str(found.denied_path);
      if (!found.protected_by.empty()) dict["protected_by"] = to_str(found.protected_by);
      return dict;
    }
    case plan::PathAnswer::Reason::kPathNotGranted: break;
  }
  return answer("denied", "path_not_granted");
}

// A list of ports closes the network but for them, whether or not it was blocked as well.
nb::dict query_network(const QueryContext& context) {
  const auto& connect = context.capabilities.connect_ports();
  const auto& bind = context.capabilities.bind_ports();
  const bool lists_ports = !connect.empty() || !bind.empty();
  if (!lists_ports && !context.capabilities.is_network_blocked()) return answer("allowed", "network_allowed");
  nb::dict dict = answer("denied", "network_blocked");
  if (lists_ports) {
    nb::list connect_list;
    nb::list bind_list;
    for (const auto port : connect) connect_list.append(static_cast<int>(port));
    for (const auto port : bind) bind_list.append(static_cast<int>(port));
    dict["tcp_connect_ports"] = connect_list;
    dict["bind_ports"] = bind_list;
  }
  return dict;
}

}  // namespace

void bind_query(nb::module_& module) {
  nb::class_<QueryContext>(module, "QueryContext", nb::is_final(),
                           "Answers what a set of capabilities would allow.")
      .def(
          "__init__",
          [](QueryContext* self, const capability::CapabilitySet& caps) { new (self) QueryContext{caps}; },
          nb::arg("caps"))
      .def("query_path", query_path, nb::arg("path"), nb::arg("mode"))
      .def("query_network", query_network);
}

}  // namespace nono::python
