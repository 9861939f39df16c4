#include "files/remove.h"

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <utility>
#include <variant>
#include <vector>

#include "files/directory.h"
#include "supervise/object.h"

namespace nono::files {
namespace {

// Directories inside one another, deeper than any path that a program can name.
constexpr int kMostDepth = 1000;

class Removal {
 public:
  explicit Removal(Reach& reach) : reach_(reach) {}

  // The first errno, or 0.
  int remove(const Fd& in, const std::string& name, int depth = 0) {
    int error = reach_.remove(in, name, false);
    if (error != EISDIR) return error;
    if (depth == kMostDepth) return ENAMETOOLONG;
    // Empty, or one that must not be looked into.
    error = reach_.remove(in, name, true);
    if (error != ENOTEMPTY && error != EEXIST) return error;
    const Fd directory(::openat(in.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory.valid()) return errno;
    std::vector<std::string> names;
    int first = for_each_name(directory, [&](std::string_view inner, unsigned char) {
      names.emplace_back(inner);
      return true;
    });
    for (const std::string& inner : names) {
      error = remove(directory, inner, depth + 1);
      if (first == 0 && error != ENOENT) first = error;  // another may have removed it
    }
    error = reach_.remove(in, name, true);
    return first != 0 ? first : error;
  }

 private:
  Reach& reach_;
};

}  // namespace

Expected<void> remove_tree(Reach& reach, const std::string& path) {
  if (path.find('\0') != std::string::npos) return refuse(code::kInvalidPath);
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return refuse(code::kPermissionDenied);
  const auto slot = supervise::open_slot(supervise::Origin{.path = path.substr(0, end + 1)});
  if (const int* error = std::get_if<int>(&slot)) return refuse(*error);
  const auto& held = std::get<supervise::Slot>(slot);
  if (supervise::is_special(held)) return refuse(code::kInvalidPath);
  const int error = Removal(reach).remove(held.directory, held.name);
  if (error != 0) return refuse(error);
  return {};
}

}  // namespace nono::files
