// Letting go of the GIL for as long as the object lives.
//
// Not nanobind's own: a daemon thread that wants the GIL back while the interpreter shuts down is
// ended by CPython (before 3.14) by unwinding its stack, and C++ answers that with abort(). Here
// such a thread goes to sleep instead, until the process is gone, as CPython 3.14 does.
#pragma once

#include <nanobind/nanobind.h>

namespace nono::python {

class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  ~WithoutGil() { take_back(state_); }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

  // Runs `with_gil`, which must not throw, with the GIL.
  template <class Function>
  void interrupt(Function with_gil) {
    take_back(state_);
    with_gil();
    state_ = PyEval_SaveThread();
  }

 private:
  static void take_back(PyThreadState* state);
  PyThreadState* state_;
};

}  // namespace nono::python
