// The object, or the name in a directory, that a call means: held as a descriptor that can neither read nor
// write (O_PATH). Resolved once, as the calling thread would resolve it, but never through the magic links
// of /proc, which would be this process's. Any thread.
#pragma once

#include <sys/stat.h>

#include <string>
#include <variant>

#include "base/fd.h"
#include "supervise/origin.h"

namespace nono::supervise {

// `resolve`: RESOLVE_* of the call itself. The object, or an errno.
[[nodiscard]] std::variant<Fd, int> open_object(const Origin& origin, bool follow, std::uint64_t resolve = 0);

// A name that need not exist yet, in a directory that is held.
struct Slot {
  Fd directory;
  std::string name;  // the last component, with one "/" after it if the call's path had any
};
[[nodiscard]] std::variant<Slot, int> open_slot(const Origin& origin, std::uint64_t resolve = 0);
[[nodiscard]] std::string_view plain_name(const Slot& slot);  // without the "/" after it
[[nodiscard]] bool is_special(const Slot& slot);  // ".", ".." or "/": the kernel makes, moves and removes none of them

// openat2 from where the origin says, with everything but magic links. -1 and errno.
[[nodiscard]] int open_from(const Origin& origin, const std::string& path, int flags, mode_t mode,
                            std::uint64_t resolve);

// Where it is now, as the kernel says; empty when it has no place in a file system (a pipe, a file
// that was removed).
[[nodiscard]] std::variant<std::string, int> place_of(const Fd& object);
[[nodiscard]] std::variant<std::string, int> place_of(const Fd& object, const struct stat& st);
[[nodiscard]] std::variant<std::string, int> place_of(const Slot& slot);

// A name for it that follows to it, for calls that know no descriptors of this kind.
[[nodiscard]] std::string link_to(const Fd& object);

}  // namespace nono::supervise
