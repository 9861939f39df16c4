#include "errors.h"

#include "convert.h"

namespace nono::python {
namespace {

PyObject* exception_type(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kPathNotFound: return PyExc_FileNotFoundError;
    case ErrorKind::kPathResolution: return PyExc_OSError;
    case ErrorKind::kExpectedDirectory:
    case ErrorKind::kExpectedFile:
    case ErrorKind::kExpectedUnixSocket:
    case ErrorKind::kConfigParse:
    case ErrorKind::kInvalidJson:
    case ErrorKind::kInvalidArgument: return PyExc_ValueError;
    case ErrorKind::kSandboxInit:
    case ErrorKind::kUnsupported:
    case ErrorKind::kProgramNotFound:
    case ErrorKind::kIo: return PyExc_RuntimeError;
  }
  return PyExc_RuntimeError;
}

bool is_about_arguments(ErrorKind kind) {
  return kind == ErrorKind::kInvalidJson || kind == ErrorKind::kInvalidArgument ||
         kind == ErrorKind::kProgramNotFound;
}

}  // namespace

void raise(const Error& error) {
  const nb::handle type(exception_type(error.kind));
  nb::object exception = type(to_str(error.message));
  if (!is_about_arguments(error.kind)) {
    exception.attr("diagnostic_code") = diagnostic_code(error.kind);
    if (error.kind == ErrorKind::kConfigParse) {
      nb::dict remediation;
      remediation["kind"] = "check_policy";
      exception.attr("remediation") = remediation;
    }
  }
  if (!error.hint.empty() && nb::hasattr(exception, "add_note")) {
    exception.attr("add_note")(to_str(error.hint));
  }
  PyErr_SetObject(type.ptr(), exception.ptr());
  throw nb::python_error();
}

void raise(PyObject* type, const std::string& message) {
  PyErr_SetObject(type, to_str(message).ptr());
  throw nb::python_error();
}

}  // namespace nono::python
