// Opening and keeping descriptors: always close-on-exec, never 0, 1 or 2.
//
// A host that was started without standard streams has those numbers free; a pipe that landed there
// would be taken for the child's stdin or stdout.
#pragma once

#include <cstdint>
#include <string>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/result.h"

namespace nono::kernel {

// The same open file at a number above 2 (itself when it already is).
[[nodiscard]] Result<Fd> above_stdio(Fd fd);

struct Pipe {
  Fd read;
  Fd write;
};
[[nodiscard]] Result<Pipe> pipe2(int flags);

// A counter to wait for, at 0. Reading and writing never wait.
[[nodiscard]] Result<Fd> eventfd();

// What a path names right now, held for good. errno is kept in `error_number` on failure.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  mode_t mode = 0;
  bool operator==(const Identity&) const = default;
};
// Whatever its mode has become meanwhile.
[[nodiscard]] inline bool same_object(const Identity& a, const Identity& b) {
  return a.device == b.device && a.inode == b.inode;
}
[[nodiscard]] Result<Identity> fstat(const Fd& fd);

// open(path, O_PATH): a handle that pins the object, whatever the path becomes later.
[[nodiscard]] Result<Fd> open_path(const std::string& path, int extra_flags = 0);

}  // namespace nono::kernel
