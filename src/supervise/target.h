// Target: which object a call names. Value; numbers and text are the child's.
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <optional>
#include <string>

namespace nono::supervise {

// A path below a directory, or what the descriptor itself is open on.
struct Target {
  int directory = AT_FDCWD;         // a number in the thread's table
  std::optional<std::string> path;  // none: the descriptor itself
  bool follow = true;               // a symbolic link at its end
  std::uint64_t resolve = 0;        // RESOLVE_* of openat2
};

}  // namespace nono::supervise
