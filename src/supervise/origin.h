// Origin: where the resolution of a path begins, taken from a waiting thread: its root, its working
// directory or one of its descriptors. Needs the right to trace that thread, which a confined thread does not
// have; so it is taken by the one that receives calls, and used by those that perform them.
// Resource; the thread's table and directories may change at any moment: what was taken counts.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <variant>

#include "base/fd.h"
#include "supervise/target.h"

namespace nono::supervise {

// Whose root a path of the command begins at.
enum class Root {
  kOurs,     // the same as the supervisor's
  kPrivate,  // the command's own mount view
  kGrant,    // none: it may not leave the granted directory that it begins in, nor that one's mount
};

struct Origin {
  Fd fd = {};              // none: our own root
  bool is_object = false;  // `fd` is what the call means
  std::string path = {};   // from there
  Root root = Root::kOurs;
  const Fd* granted = nullptr;  // kGrant: instead of `fd`; belongs to GrantedPlaces
  std::string place = {};       // where the path leads if no symbolic link is on it, in our root; empty: not known

  [[nodiscard]] int directory() const { return granted != nullptr ? granted->get() : fd.valid() ? fd.get() : AT_FDCWD; }
};

// Is this relative path, or the part of an absolute one behind its first "/", the place itself if no link is on the way? It has
// no ".", "..", "//" and no "/" at the end. ASCII: a directory that folds names may have another letter in it than the case of
// this one.
[[nodiscard]] bool is_plain(std::string_view path);

// What a thread has open at this number, or its working directory (AT_FDCWD), as a link in /proc.
[[nodiscard]] std::string link_in_table(int thread, int number);

// A thread's file mode creation mask; 077 when it cannot be told.
[[nodiscard]] mode_t umask_of(int thread);

// The process that a thread belongs to, as a pidfd. Or an errno.
[[nodiscard]] std::variant<Fd, int> open_process(int thread);
// What it has open at this number: the same open file. Or an errno.
[[nodiscard]] std::variant<Fd, int> take_descriptor(const Fd& process, int number);

// `thread`: a thread id in our PID namespace. Or an errno.
[[nodiscard]] std::variant<Origin, int> origin_of(int thread, const Target& target, Root root);

}  // namespace nono::supervise
