#include "gil.h"

#include <unistd.h>

namespace nono::python {

void WithoutGil::take_back(PyThreadState* state) {
  try {
    PyEval_RestoreThread(state);
  } catch (...) {
    for (;;) ::pause();  // leaving the handler would abort
  }
}

}  // namespace nono::python
