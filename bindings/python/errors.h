// nono's errors as Python exceptions.
//
// An error of the core carries `diagnostic_code`, for a malformed document also `remediation`, and
// its hint as a note. Errors about the arguments of a call carry none of these.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <utility>

#include "base/result.h"

namespace nono::python {

namespace nb = nanobind;

[[noreturn]] void raise(const Error& error);
[[noreturn]] void raise(PyObject* type, const std::string& message);

inline void check(const Status& status) {
  if (!status) raise(status.error());
}

template <class T>
[[nodiscard]] T take(Result<T> result) {
  if (!result) raise(result.error());
  return *std::move(result);
}

}  // namespace nono::python
