// MetadataCall: one of the calls that change a file's metadata, with everything that its arguments
// point to read. Decoding trusts nothing: numbers, addresses and the memory behind them are the child's.
// Value; any thread.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernel/host_facts.h"
#include "supervise/memory.h"

namespace nono::supervise {

// Which object: a path below a directory, or what the descriptor itself is open on.
struct Target {
  int directory = AT_FDCWD;         // a number in the thread's table
  std::optional<std::string> path;  // none: the descriptor itself
  bool follow = true;               // a symbolic link at its end
};

struct Mode {
  mode_t mode = 0;
};
struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};
struct Times {
  std::optional<std::array<timespec, 2>> times;  // none: now
};
struct SetAttribute {
  std::string name;
  std::vector<std::byte> value;
  int flags = 0;
};
struct RemoveAttribute {
  std::string name;
};
struct FileAttributes {  // struct file_attr, as large as the caller's
  std::vector<std::byte> attributes;
};
struct FileFlags {  // ioctl
  std::uint32_t request = 0;
  std::vector<std::byte> argument;
};

struct MetadataCall {
  Target target;
  std::variant<Mode, Owner, Times, SetAttribute, RemoveAttribute, FileAttributes, FileFlags> change;
};

// `number` and `arguments` as seccomp(2) reports them. The value, or the errno that answers the call: ENOSYS
// for one that is not such a call.
[[nodiscard]] std::variant<MetadataCall, int> decode(kernel::Arch arch, int number,
                                                     const std::array<std::uint64_t, 6>& arguments,
                                                     const Memory& memory);

}  // namespace nono::supervise
