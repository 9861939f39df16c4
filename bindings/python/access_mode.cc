#include "access_mode.h"

#include "bindings.h"
#include "convert.h"

namespace nono::python {
namespace {

const char* constant_name(AccessMode mode) {
  switch (mode.value) {
    case capability::AccessMode::kRead: return "AccessMode.READ";
    case capability::AccessMode::kWrite: return "AccessMode.WRITE";
    case capability::AccessMode::kReadWrite: return "AccessMode.READ_WRITE";
  }
  return "";
}

}  // namespace

void bind_access_mode(nb::module_& module) {
  nb::class_<AccessMode> cls(module, "AccessMode", nb::is_final(),
                             "What a grant allows: READ (and execute), WRITE, or READ_WRITE.");
  cls.def("__eq__", [](AccessMode a, AccessMode b) { return a.value == b.value; }, nb::is_operator())
      .def("__hash__", [](AccessMode mode) { return static_cast<int>(mode.value); })
      .def("__int__", [](AccessMode mode) { return static_cast<int>(mode.value); })
      .def("__repr__", constant_name)
      .def("__str__", [](AccessMode mode) { return to_str(capability::to_string(mode.value)); });
  cls.attr("READ") = AccessMode{capability::AccessMode::kRead};
  cls.attr("WRITE") = AccessMode{capability::AccessMode::kWrite};
  cls.attr("READ_WRITE") = AccessMode{capability::AccessMode::kReadWrite};
}

}  // namespace nono::python
