// MetadataCall: one of the calls that change a file's metadata, with everything that its arguments
// point to read. Decoding trusts nothing: numbers, addresses and the memory behind them are the child's.
// Value; any thread.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "supervise/call_reader.h"

namespace nono::supervise {

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

// `name`: a call of the verdict kMetadata in plan/syscalls.inc, or ioctl. The value, or the errno that answers
// the call: ENOSYS for one that is not such a call.
[[nodiscard]] std::variant<MetadataCall, int> decode_metadata_call(std::string_view name, const Arguments& arguments,
                                                                   const Memory& memory);

}  // namespace nono::supervise
