// NameCall: one of the calls that open, make, move, link or remove a name, with every path that its
// arguments point to read. Decoding trusts nothing: numbers, addresses and memory are the child's.
// Value; any thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <variant>

#include "supervise/call_reader.h"

namespace nono::supervise {

struct Open {
  Target target;
  int flags = 0;
  mode_t mode = 0;
};
struct MakeDirectory {
  Target target;
  mode_t mode = 0;
};
struct MakeNode {
  Target target;
  mode_t mode = 0;
  dev_t device = 0;
};
struct MakeSymlink {
  std::string content;
  Target target;
};
struct Link {
  Target from;
  Target to;
};
struct Rename {
  Target from;
  Target to;
  unsigned flags = 0;
};
struct Remove {
  Target target;
  bool directory = false;
};
struct Truncate {
  Target target;
  off_t size = 0;
};

using NameCall = std::variant<Open, MakeDirectory, MakeNode, MakeSymlink, Link, Rename, Remove, Truncate>;

// `name`: a call of plan/syscalls.inc with the verdict kName, kTruncate or kOpen*. The value, or the errno that
// answers the call: ENOSYS for one that is not such a call, and for openat2 with flags of a newer kernel.
[[nodiscard]] std::variant<NameCall, int> decode_name_call(std::string_view name, const Arguments& arguments,
                                                           const Memory& memory);

}  // namespace nono::supervise
