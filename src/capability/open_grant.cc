#include "capability/open_grant.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/text.h"
#include "capability/name_pattern.h"
#include "capability/path_resolution.h"
#include "kernel/uapi.h"

namespace nono::capability {
namespace {

// Kernels before 5.6, and filters that hide openat2: one component after the other, each by its own
// name in a directory that is already held. Opening by the whole path and comparing afterwards would
// lose against two swaps in a row.
Fd walk(const std::string& resolved) {
  Fd at(::open("/", O_PATH | O_CLOEXEC));
  for (std::size_t from = 1; at.valid() && from < resolved.size();) {
    const std::size_t to = std::min(resolved.find('/', from), resolved.size());
    const std::string name = resolved.substr(from, to - from);
    Fd next(::openat(at.get(), name.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
    struct stat st {};
    if (next.valid() && ::fstat(next.get(), &st) == 0 && S_ISLNK(st.st_mode)) {
      errno = ELOOP;  // what openat2 says
      return Fd();
    }
    at = std::move(next);
    from = to + 1;
  }
  return at;
}

// The object that a canonical path names, or an invalid Fd with errno set.
Fd open_resolved(const std::string& resolved) {
  kernel::OpenHow how;
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = kernel::kResolveNoSymlinks | kernel::kResolveNoMagiclinks;
  long fd = -1;
  do {
    fd = ::syscall(kernel::kNrOpenat2, AT_FDCWD, resolved.c_str(), &how, sizeof how);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0 && errno == ENOSYS) return walk(resolved);
  return Fd(static_cast<int>(fd));
}

}  // namespace

Result<FsCapability> open_grant(const std::string& path, AccessMode access, CapabilitySource source,
                                GrantType wanted) {
  auto existing = canonicalize(path);
  if (!existing) {
    Error error = existing.error();
    if (error.kind == ErrorKind::kPathNotFound && NamePattern::is_pattern(path)) {
      error.hint = "This grant is a path and no pattern; patterns are allow_glob's, or of --read, --write and --allow.";
    }
    return tl::unexpected<Error>(std::move(error));
  }
  std::string resolved = *std::move(existing);
  Fd opened = open_resolved(resolved);
  if (!opened.valid()) return tl::unexpected<Error>(resolution_error(path, errno));

  auto handle = std::make_shared<GrantHandle>();
  handle->fd = NONO_TRY(kernel::above_stdio(std::move(opened)));
  handle->identity = NONO_TRY(kernel::fstat(handle->fd));
  const bool is_directory = S_ISDIR(handle->identity.mode);
  if (wanted == GrantType::kDirectory && !is_directory) {
    return fail(ErrorKind::kExpectedDirectory, cat("Expected a directory but got a file: ", path));
  }
  if (wanted == GrantType::kFile && is_directory) {
    return fail(ErrorKind::kExpectedFile, cat("Expected a file but got a directory: ", path));
  }

  FsCapability grant;
  grant.original = path;
  if (path != resolved) grant.links = links_on_the_way(path);
  grant.resolved = std::move(resolved);
  grant.access = access;
  grant.is_file = !is_directory;
  grant.source = std::move(source);
  grant.handle = std::move(handle);
  return grant;
}

}  // namespace nono::capability
