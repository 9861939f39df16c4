#include "supervise/object.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "kernel/uapi.h"

namespace nono::supervise {
namespace {

std::variant<Fd, int> opened_or_error(int descriptor) {
  if (descriptor < 0) return errno;
  return Fd(descriptor);
}

}  // namespace

// EAGAIN is what ".." answers there while anybody on the machine moves anything; what a lease answers is tried again by others.
constexpr int kMostTries = 100;

int open_from(const Origin& origin, const std::string& path, int flags, mode_t mode, std::uint64_t resolve) {
  kernel::OpenHow how;
  how.flags = static_cast<unsigned>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve | kernel::kResolveNoMagiclinks;
  if (origin.root == Root::kPrivate) how.resolve |= kernel::kResolveInRoot;
  if (origin.root == Root::kGrant) how.resolve |= kernel::kResolveBeneath | kernel::kResolveNoXdev;
  int opened = -1;
  for (int tries = 0; tries < kMostTries; ++tries) {
    opened = static_cast<int>(::syscall(kernel::kNrOpenat2, origin.directory(), path.c_str(), &how, sizeof how));
    if (opened >= 0 || errno != EAGAIN || origin.root != Root::kPrivate) break;
  }
  return opened;
}

std::variant<Fd, int> open_object(const Origin& origin, bool follow, std::uint64_t resolve) {
  if (origin.is_object) return opened_or_error(::fcntl(origin.directory(), F_DUPFD_CLOEXEC, 3));
  return opened_or_error(open_from(origin, origin.path, O_PATH | (follow ? 0 : O_NOFOLLOW), 0, resolve));
}

std::variant<Slot, int> open_slot(const Origin& origin, std::uint64_t resolve) {
  if (origin.is_object) return ENOENT;  // a descriptor has no name to be made, moved or removed
  const std::string_view path = origin.path;
  const std::size_t end = path.find_last_not_of('/');
  const bool has_slash = end + 1 < path.size();
  if (end == std::string_view::npos) {
    auto root = opened_or_error(open_from(origin, "/", O_PATH | O_DIRECTORY, 0, resolve));
    if (const int* error = std::get_if<int>(&root)) return *error;
    return Slot{std::get<Fd>(std::move(root)), "/"};
  }
  const std::size_t cut = path.substr(0, end + 1).rfind('/');
  const std::size_t begin = cut == std::string_view::npos ? 0 : cut + 1;
  const std::string directory = begin == 0 ? "." : std::string(path.substr(0, begin));
  auto opened = opened_or_error(open_from(origin, directory, O_PATH | O_DIRECTORY, 0, resolve));
  if (const int* error = std::get_if<int>(&opened)) return *error;
  return Slot{std::get<Fd>(std::move(opened)), cat(path.substr(begin, end + 1 - begin), has_slash ? "/" : "")};
}

std::string_view plain_name(const Slot& slot) {
  const std::string_view name = slot.name;
  return name.size() > 1 && name.ends_with('/') ? name.substr(0, name.size() - 1) : name;
}

bool is_special(const Slot& slot) {
  const std::string_view name = plain_name(slot);
  return name == "." || name == ".." || name == "/";
}

std::variant<std::string, int> place_of(const Fd& object) {
  struct stat st {};
  if (::fstat(object.get(), &st) != 0) return errno;
  return place_of(object, st);
}

std::variant<std::string, int> place_of(const Fd& object, const struct stat& st) {
  if (st.st_nlink == 0) return std::string{};
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlink(link_to(object).c_str(), text.data(), text.size());
  if (size < 0) return errno;
  if (static_cast<std::size_t>(size) == text.size()) return ENAMETOOLONG;
  const std::string_view place(text.data(), static_cast<std::size_t>(size));
  if (place.starts_with('/')) return std::string(place);
  if (place.starts_with("pipe:[") || place.starts_with("socket:[") || place.starts_with("anon_inode:")) {
    return std::string{};
  }
  return EPERM;  // a mount that cannot be reached
}

std::variant<std::string, int> place_of(const Slot& slot) {
  auto directory = place_of(slot.directory);
  if (std::holds_alternative<int>(directory)) return directory;
  const auto& path = std::get<std::string>(directory);
  if (path.empty()) return ENOENT;  // the directory was removed
  return cat(path == "/" ? "" : path, "/", plain_name(slot));
}

std::string link_to(const Fd& object) { return cat("/proc/thread-self/fd/", object.get()); }

}  // namespace nono::supervise
