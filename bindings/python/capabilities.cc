// CapabilitySource, FsCapability, UnixSocketCapability, CapabilitySet.
#include "access_mode.h"
#include "base/text.h"
#include "bindings.h"
#include "capability/capability_set.h"
#include "convert.h"
#include "errors.h"

namespace nono::python {
namespace {

using capability::CapabilitySet;
using capability::CapabilitySource;
using capability::FsCapability;
using capability::SocketMode;
using capability::SocketScope;
using capability::UnixSocketCapability;

const char* lower_bool(bool value) { return value ? "true" : "false"; }

nb::list to_list(const std::vector<std::uint16_t>& ports) {
  nb::list list;
  for (const std::uint16_t port : ports) list.append(static_cast<int>(port));
  return list;
}

void bind_source(nb::module_& module) {
  nb::class_<CapabilitySource>(module, "CapabilitySource", nb::is_final(), "Who asked for a grant.")
      .def_static("user", &CapabilitySource::user, "A grant that the user gave.")
      .def_static(
          "group", [](nb::handle name) { return CapabilitySource::group(to_text(name, "name")); },
          nb::arg("name"), "A grant that came from a policy group.")
      .def_static("system", &CapabilitySource::system, "A grant that nono added itself.")
      .def("__str__", [](const CapabilitySource& source) { return to_str(source.to_string()); })
      .def("__repr__", [](const CapabilitySource& source) {
        return to_str(cat("CapabilitySource(", source.to_string(), ")"));
      });
}

void bind_fs_capability(nb::module_& module) {
  nb::class_<FsCapability>(module, "FsCapability", nb::is_final(),
                            "One granted file or directory, or what a pattern matches below one.")
      .def_prop_ro("original", [](const FsCapability& c) { return to_str(c.original); }, "As it was given.")
      .def_prop_ro("resolved", [](const FsCapability& c) { return to_str(c.resolved); },
                   "Canonical, absolute.")
      .def_prop_ro("pattern", [](const FsCapability& c) -> nb::object { return c.pattern ? nb::object(to_str(c.name())) : nb::none(); },
                   "Of the names below `resolved` that are granted; None: all are.")
      .def_prop_ro("access", [](const FsCapability& c) { return AccessMode{c.access}; })
      .def_prop_ro("is_file", [](const FsCapability& c) { return c.is_file; }, "Anything but a directory.")
      .def_prop_ro("source", [](const FsCapability& c) { return c.source; })
      .def("__str__", [](const FsCapability& c) { return to_str(c.to_string()); })
      .def("__repr__", [](const FsCapability& c) {
        return to_str(cat("FsCapability(path='", c.name(), "', access=", to_string(c.access),
                          ", is_file=", lower_bool(c.is_file), ")"));
      });
}

SocketScope to_scope(nb::handle value) {
  const std::string text = to_text(value, "scope");
  for (const SocketScope scope : {SocketScope::kFile, SocketScope::kDirChildren, SocketScope::kDirSubtree}) {
    if (text == to_string(scope)) return scope;
  }
  raise(PyExc_ValueError, cat("scope must be 'file', 'dir_children' or 'dir_subtree', not '", escape(text), "'"));
}

void bind_unix_socket(nb::module_& module) {
  nb::class_<UnixSocketCapability>(module, "UnixSocketCapability", nb::is_final(),
                                   "One granted Unix socket, or those in one directory.")
      .def_prop_ro("original", [](const UnixSocketCapability& c) { return to_str(c.original); }, "As it was given.")
      .def_prop_ro("resolved", [](const UnixSocketCapability& c) { return to_str(c.resolved); }, "Canonical, absolute.")
      .def_prop_ro("scope", [](const UnixSocketCapability& c) { return to_str(to_string(c.scope)); })
      .def_prop_ro("mode", [](const UnixSocketCapability& c) { return to_str(to_string(c.mode)); })
      .def("__str__", [](const UnixSocketCapability& c) { return to_str(c.to_string()); })
      .def("__repr__", [](const UnixSocketCapability& c) {
        return to_str(cat("UnixSocketCapability(path='", c.resolved, "', scope=", to_string(c.scope),
                          ", mode=", to_string(c.mode), ")"));
      });
}

void bind_set(nb::module_& module) {
  nb::class_<CapabilitySet> cls(module, "CapabilitySet", nb::is_final(),
                                "What a sandbox is granted: files, directories, the network.");
  cls.def(nb::init<>(), "Nothing but an open network.")
      .def(
          "allow_path",
          [](CapabilitySet& set, nb::handle path, AccessMode mode) {
            check(set.allow_path(to_text(path, "path"), mode.value));
          },
          nb::arg("path"), nb::arg("mode"), "Grant a directory and everything below it.")
      .def(
          "allow_file",
          [](CapabilitySet& set, nb::handle path, AccessMode mode) {
            check(set.allow_file(to_text(path, "path"), mode.value));
          },
          nb::arg("path"), nb::arg("mode"), "Grant one file, device, socket or FIFO.")
      .def(
          "allow_glob",
          [](CapabilitySet& set, nb::handle pattern, AccessMode mode) {
            check(set.allow_glob(to_text(pattern, "pattern"), mode.value));
          },
          nb::arg("pattern"), nb::arg("mode"), "Grant what a pattern matches and all below it, also what is made later.")
      .def(
          "deny_path", [](CapabilitySet& set, nb::handle path) { check(set.deny_path(to_text(path, "path"))); },
          nb::arg("path"), "Close a path, or what a pattern matches, and all below it, although a grant covers it.")
      .def(
          "protect",
          [](CapabilitySet& set, nb::handle names) {
            check(set.protect(names.is_none() ? std::vector<std::string>{"all"} : to_texts(names, "names")));
          },
          nb::arg("names").none() = nb::none(), "Let these names be read but not changed; None is all that are known.")
      .def(
          "unprotect", [](CapabilitySet& set, nb::handle name) { check(set.unprotect(to_text(name, "name"))); },
          nb::arg("name"), "Let this name, or \"all\", be changed again where a grant allows it.")
      .def_prop_ro("protected_names", [](const CapabilitySet& set) { return python::to_list(set.protected_names().names()); })
      .def(
          "allow_unix_socket",
          [](CapabilitySet& set, nb::handle path, bool bind, nb::handle scope) {
            check(set.allow_unix_socket(to_text(path, "path"), to_scope(scope),
                                        bind ? SocketMode::kConnectBind : SocketMode::kConnect));
          },
          nb::arg("path"), nb::kw_only(), nb::arg("bind") = false, nb::arg("scope") = "file",
          "Let a Unix socket outside be reached by its path, or those in a directory.")
      .def_prop_ro("unix_sockets",
                   [](const CapabilitySet& set) {
                     nb::list list;
                     for (const UnixSocketCapability& grant : set.unix_sockets()) list.append(nb::cast(grant));
                     return list;
                   })
      .def("block_network", &CapabilitySet::block_network, "No network at all.")
      .def(
          "allow_localhost_port",
          [](CapabilitySet& set, nb::handle port) { set.allow_localhost_port(to_integer<std::uint16_t>(port)); },
          nb::arg("port"), "TCP connect and bind on that port of this machine.")
      .def(
          "allow_tcp_connect_port",
          [](CapabilitySet& set, nb::handle port) { set.allow_tcp_connect_port(to_integer<std::uint16_t>(port)); },
          nb::arg("port"), "TCP connect to that port on any host; every other connect and bind is refused.")
      .def(
          "allow_bind_port",
          [](CapabilitySet& set, nb::handle port) { set.allow_bind_port(to_integer<std::uint16_t>(port)); },
          nb::arg("port"), "TCP bind on that port; every other bind and connect is refused.")
      .def(
          "platform_rule",
          [](CapabilitySet& set, nb::handle rule) { check(set.platform_rule(to_text(rule, "rule"))); },
          nb::arg("rule"), "A macOS Seatbelt rule: checked everywhere, without effect on Linux.")
      .def("deduplicate", &CapabilitySet::deduplicate, "One grant for each path.")
      .def(
          "path_covered",
          [](const CapabilitySet& set, nb::handle path) { return set.path_covered(to_text(path, "path")); },
          nb::arg("path"), "Is some directory grant this path or above it? By name only.")
      .def(
          "fs_capabilities",
          [](const CapabilitySet& set) {
            nb::list list;
            for (const FsCapability& grant : set.fs()) list.append(nb::cast(grant));
            return list;
          },
          "The grants, in the order they were given.")
      .def_prop_ro("denied_paths",
                   [](const CapabilitySet& set) {
                     nb::list list;
                     for (const auto& denial : set.denials().own()) list.append(to_str(denial.resolved));
                     return list;
                   })
      .def("summary", [](const CapabilitySet& set) { return to_str(set.summary()); }, "For people.")
      .def_prop_ro("is_network_blocked", &CapabilitySet::is_network_blocked)
      .def_prop_ro("localhost_ports", [](const CapabilitySet& set) { return to_list(set.localhost_ports()); })
      .def_prop_ro("tcp_connect_ports", [](const CapabilitySet& set) { return to_list(set.connect_ports()); })
      .def_prop_ro("bind_ports", [](const CapabilitySet& set) { return to_list(set.bind_ports()); })
      .def("__repr__", [](const CapabilitySet& set) {
        return to_str(cat("CapabilitySet(fs=", set.fs().size(), ", network=", set.network_text(), ")"));
      });
}

}  // namespace

void bind_capabilities(nb::module_& module) {
  bind_source(module);
  bind_fs_capability(module);
  bind_unix_socket(module);
  bind_set(module);
}

}  // namespace nono::python
