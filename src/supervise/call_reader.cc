#include "supervise/call_reader.h"

#include <limits.h>

#include <cerrno>
#include <utility>

#include "kernel/uapi.h"

namespace nono::supervise {

std::string CallReader::text(std::size_t argument) {
  std::string path;
  note(read_text(memory_, arguments_[argument], PATH_MAX, ENAMETOOLONG, path));
  return path;
}

std::string CallReader::path(std::size_t argument) {
  std::string path = text(argument);
  if (path.empty()) fail(ENOENT);
  return path;
}

Target CallReader::path_at(int directory, std::size_t argument, unsigned flags) {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | kernel::kAtEmptyPath)) != 0) fail(EINVAL);
  Target target{directory, text(argument), (flags & AT_SYMLINK_NOFOLLOW) == 0, 0};
  if (!target.path->empty()) return target;
  if ((flags & kernel::kAtEmptyPath) == 0) fail(ENOENT);
  target.path.reset();
  return target;
}

Target CallReader::descriptor(std::size_t argument) {
  const Target target{integer(argument), std::nullopt, true, 0};
  if (target.directory < 0) fail(EBADF);
  return target;
}

}  // namespace nono::supervise
