#include "supervise/object.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "kernel/uapi.h"

namespace nono::supervise {
namespace {

std::variant<Fd, int> open_at(int directory, const std::string& path, std::uint64_t flags, std::uint64_t resolve) {
  kernel::OpenHow how;
  how.flags = O_PATH | O_CLOEXEC | flags;
  how.resolve = resolve;
  Fd opened(static_cast<int>(::syscall(kernel::kNrOpenat2, directory, path.c_str(), &how, sizeof how)));
  if (!opened.valid()) return errno;
  return opened;
}

// What the thread has open at this number, or its working directory.
std::variant<Fd, int> open_from_table(int thread, int number) {
  const std::string link = number == AT_FDCWD ? cat("/proc/", thread, "/cwd") : cat("/proc/", thread, "/fd/", number);
  return open_at(AT_FDCWD, link, 0, 0);
}

// The same where a call names the number itself.
std::variant<Fd, int> open_descriptor(int thread, int number) {
  auto opened = open_from_table(thread, number);
  if (const int* error = std::get_if<int>(&opened); error != nullptr && *error == ENOENT) return EBADF;
  return opened;
}

// "/proc/self/fd/7" and the like: 7.
std::optional<int> own_descriptor(int thread, std::string_view path) {
  const std::array<std::string, 4> prefixes{"/proc/self/fd/", "/proc/thread-self/fd/", "/dev/fd/",
                                            cat("/proc/", thread, "/fd/")};
  for (const std::string& prefix : prefixes) {
    if (!path.starts_with(prefix)) continue;
    const std::string_view digits = path.substr(prefix.size());
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (digits.empty() || digits.size() > 9 || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
    int number = 0;
    for (const char c : digits) number = number * 10 + (c - '0');
    return number;
  }
  return std::nullopt;
}

}  // namespace

std::variant<Fd, int> open_object(int thread, const Target& target) {
  if (!target.path) return open_descriptor(thread, target.directory);
  if (const auto number = own_descriptor(thread, *target.path); number && target.follow) {
    return open_from_table(thread, *number);
  }
  const std::uint64_t flags = target.follow ? 0 : O_NOFOLLOW;
  if (target.path->starts_with('/')) return open_at(AT_FDCWD, *target.path, flags, kernel::kResolveNoMagiclinks);
  const auto directory = open_descriptor(thread, target.directory);
  if (const int* error = std::get_if<int>(&directory)) return *error;
  return open_at(std::get<Fd>(directory).get(), *target.path, flags, kernel::kResolveNoMagiclinks);
}

std::variant<std::string, int> place_of(const Fd& object) {
  struct stat st {};
  if (::fstat(object.get(), &st) != 0) return errno;
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

std::string link_to(const Fd& object) { return cat("/proc/thread-self/fd/", object.get()); }

}  // namespace nono::supervise
