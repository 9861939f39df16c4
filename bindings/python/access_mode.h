// AccessMode as a Python class: constants with an order-less value. A class of its own, because
// Python's enum would have made it iterable, ordered by definition, and an import slower.
#pragma once

#include "capability/access_mode.h"

namespace nono::python {

struct AccessMode {
  capability::AccessMode value;
};

}  // namespace nono::python
