// The object that a thread in the sandbox means, held as a descriptor that can neither read nor write
// (O_PATH). Resolved once, as that thread would resolve it, but never through the magic links of /proc,
// which would be this process's; those that name the thread's own descriptors are taken from its table.
#pragma once

#include <string>
#include <variant>

#include "base/fd.h"
#include "supervise/metadata_call.h"

namespace nono::supervise {

// `thread`: a thread id in our PID namespace. The object, or an errno.
[[nodiscard]] std::variant<Fd, int> open_object(int thread, const Target& target);

// Where it is now, as the kernel says; empty when it has no place in a file system (a pipe, a file
// that was removed).
[[nodiscard]] std::variant<std::string, int> place_of(const Fd& object);

// A name for it that follows to it, for calls that know no descriptors of this kind.
[[nodiscard]] std::string link_to(const Fd& object);

}  // namespace nono::supervise
