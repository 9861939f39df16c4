// What a Unix socket is really bound to, as the kernel says (sock_diag): between a bind and a look at its path, names
// may have changed hands. Any thread.
#pragma once

#include <sys/stat.h>

#include "base/fd.h"

namespace nono::supervise {

enum class Device {
  kCompared,
  kKnown,  // it is the same: stat(2) names another one there than the kernel does (hides_its_device)
};

// Is it this object? False also where the kernel does not tell.
[[nodiscard]] bool is_bound_to(const Fd& socket, const struct stat& st, Device device);

[[nodiscard]] bool hides_its_device(int directory);

}  // namespace nono::supervise
