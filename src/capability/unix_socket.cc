#include "capability/unix_socket.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "capability/path_resolution.h"

namespace nono::capability {
namespace {

const char* kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return "directory";
    case S_IFIFO: return "FIFO";
    case S_IFCHR:
    case S_IFBLK: return "device";
    default: return "file";
  }
}

// Its directory as it is now, the name as it will be.
Result<std::string> place_of_socket(const std::string& path) {
  auto existing = canonicalize(path);
  if (!existing && (existing.error().kind != ErrorKind::kPathNotFound || path.empty())) return existing;
  std::string place = existing ? *std::move(existing) : canonicalize_existing_part(path);
  struct stat st {};
  if (::lstat(place.c_str(), &st) == 0) {
    if (S_ISSOCK(st.st_mode)) return place;
    return fail(ErrorKind::kExpectedUnixSocket, cat("Expected a Unix socket but got a ", kind_of(st.st_mode), ": ", path),
                S_ISDIR(st.st_mode) ? "For the sockets in a directory, name the scope: those directly in it, or those "
                                      "anywhere below it."
                                    : "");
  }
  const std::string directory = place.substr(0, place.rfind('/'));
  if (!directory.empty() && (::lstat(directory.c_str(), &st) != 0 || !S_ISDIR(st.st_mode))) {
    return fail(ErrorKind::kPathNotFound, cat("Path does not exist: ", directory),
                cat("The socket ", path, " need not exist yet, but its directory must."));
  }
  return place;
}

Result<std::string> directory_of_sockets(const std::string& path) {
  std::string place = NONO_TRY(canonicalize(path));
  struct stat st {};
  if (::lstat(place.c_str(), &st) != 0) return tl::unexpected<Error>(resolution_error(path, errno));
  if (!S_ISDIR(st.st_mode)) {
    return fail(ErrorKind::kExpectedDirectory, cat("Expected a directory but got a file: ", path),
                "For one socket, leave the scope out.");
  }
  if (place == "/") {
    return fail(ErrorKind::kInvalidArgument, "Unix sockets cannot be granted for the whole file system",
                "Name the directory that they are in.");
  }
  return place;
}

}  // namespace

std::string_view to_string(SocketScope scope) {
  switch (scope) {
    case SocketScope::kFile: return "file";
    case SocketScope::kDirChildren: return "dir_children";
    case SocketScope::kDirSubtree: return "dir_subtree";
  }
  return {};
}

std::string_view to_string(SocketMode mode) {
  switch (mode) {
    case SocketMode::kConnect: return "connect";
    case SocketMode::kConnectBind: return "connect+bind";
  }
  return {};
}

Result<UnixSocketCapability> UnixSocketCapability::of(const std::string& path, SocketScope scope, SocketMode mode) {
  if (path.starts_with('@') || path.starts_with('\0')) {
    return fail(ErrorKind::kInvalidArgument,
                cat("Abstract Unix sockets cannot be granted: ", escape(path)),
                path.starts_with('@') ? cat("They have a name and no file. For a file of this name write ./", escape(path), ".")
                                      : "They have a name and no file. Have the service listen on a path.");
  }
  std::string resolved =
      NONO_TRY(scope == SocketScope::kFile ? place_of_socket(path) : directory_of_sockets(path));
  return UnixSocketCapability{path, std::move(resolved), scope, mode};
}

bool UnixSocketCapability::covers(const std::string& place) const {
  if (place.size() < 2) return false;  // "/" is no socket
  switch (scope) {
    case SocketScope::kFile: return place == resolved;
    case SocketScope::kDirChildren: return parent_of(place) == resolved;
    case SocketScope::kDirSubtree: return place != resolved && is_within_folded(resolved, place);
  }
  return false;
}

std::string UnixSocketCapability::to_string() const {
  std::string words(capability::to_string(scope));
  for (char& c : words) {
    if (c == '_') c = '-';
  }
  return cat(escape(resolved), " [", capability::to_string(mode), "] (", words, ")");
}

}  // namespace nono::capability
