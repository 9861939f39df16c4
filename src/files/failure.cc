#include "files/failure.h"

#include <cctype>
#include <cerrno>
#include <cstring>

namespace nono::files {

Failure failure_of(int error) {
  switch (error) {
    case ENOENT: return {code::kFileNotFound};
    case ENOTDIR: return {code::kNotADirectory};
    case EISDIR: return {code::kIsDirectory};
    case EEXIST: return {code::kAlreadyExists};
    case ENAMETOOLONG: return {code::kInvalidPath};
    case ENXIO: return {code::kNotAFile};  // a socket, or a FIFO that nobody reads
    case EACCES:
    case ELOOP:  // links in a circle, or one of procfs
    case EPERM:
    case EROFS: return {code::kPermissionDenied};
    default: break;
  }
  std::string words = ::strerrordesc_np(error) == nullptr ? "unknown error" : ::strerrordesc_np(error);
  words.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(words.front())));
  return {std::move(words)};
}

}  // namespace nono::files
