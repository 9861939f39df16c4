#include "supervise/origin.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "kernel/uapi.h"

namespace nono::supervise {
namespace {

std::variant<Fd, int> open_path(const std::string& link) {
  Fd opened(::open(link.c_str(), O_PATH | O_CLOEXEC));
  if (!opened.valid()) return errno;
  return opened;
}

// The same where a call names the number itself.
std::variant<Fd, int> open_descriptor(int thread, int number) {
  auto opened = open_path(link_in_table(thread, number));
  if (const int* error = std::get_if<int>(&opened); error != nullptr && *error == ENOENT) return EBADF;
  return opened;
}

// "/proc/self/fd/7" and the like: 7.
std::optional<int> own_descriptor(int thread, std::string_view path) {
  if (path == "/dev/stdin") return 0;
  if (path == "/dev/stdout") return 1;
  if (path == "/dev/stderr") return 2;
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

// The last number of a line such as "NSpid:	4711	3": that of the innermost PID namespace.
std::optional<int> status_number(int thread, std::string_view field, int base = 10) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(cat("/proc/", thread, "/status").c_str(), "re"), &std::fclose);
  if (file == nullptr) return std::nullopt;
  std::array<char, 512> line;
  while (std::fgets(line.data(), line.size(), file.get()) != nullptr) {
    if (!std::string_view(line.data()).starts_with(field)) continue;
    const char* last = std::strrchr(line.data(), '\t');
    return last == nullptr ? std::nullopt : std::optional(static_cast<int>(std::strtol(last, nullptr, base)));
  }
  return std::nullopt;
}

// /proc/self and /proc/thread-self would be the supervisor's.
std::string without_self(int thread, const std::string& path) {
  constexpr std::string_view kSelf = "/proc/self/";
  constexpr std::string_view kThreadSelf = "/proc/thread-self/";
  const bool is_thread = path.starts_with(kThreadSelf);
  if (!is_thread && !path.starts_with(kSelf)) return path;
  const auto process = status_number(thread, "NStgid:");
  const auto itself = status_number(thread, "NSpid:");
  if (!process || !itself) return path;
  if (is_thread) return cat("/proc/", *process, "/task/", *itself, "/", path.substr(kThreadSelf.size()));
  return cat("/proc/", *process, "/", path.substr(kSelf.size()));
}

// In a mount view of its own the whole way is walked from its root: a link on it may be absolute.
std::variant<Origin, int> from_private_root(int thread, const Target& target) {
  if (target.resolve != 0) return ENOSYS;
  std::string path = without_self(thread, *target.path);
  if (!path.starts_with('/')) {
    std::array<char, PATH_MAX> text;
    const std::string link = link_in_table(thread, target.directory);
    struct stat st {};
    if (::stat(link.c_str(), &st) != 0) return errno == ENOENT ? EBADF : errno;
    if (!S_ISDIR(st.st_mode)) return ENOTDIR;
    const ssize_t size = ::readlink(link.c_str(), text.data(), text.size());
    if (size <= 0 || text[0] != '/') return ENOENT;
    path = cat(std::string_view(text.data(), static_cast<std::size_t>(size)), "/", path);
    if (path.size() >= PATH_MAX) return ENAMETOOLONG;
  }
  auto root = open_path(cat("/proc/", thread, "/root"));
  if (const int* error = std::get_if<int>(&root)) return *error;
  return Origin{.fd = std::get<Fd>(std::move(root)), .path = std::move(path), .root = Root::kPrivate};
}

std::variant<Origin, int> object_at(std::variant<Fd, int> opened) {
  if (const int* error = std::get_if<int>(&opened)) return *error;
  return Origin{.fd = std::get<Fd>(std::move(opened)), .is_object = true};
}

}  // namespace

bool is_plain(std::string_view path) {
  if (!is_ascii(path)) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    if (name.empty() || name == "." || name == "..") return false;
    begin = end + 1;
  }
  return true;
}

std::string link_in_table(int thread, int number) {
  return number == AT_FDCWD ? cat("/proc/", thread, "/cwd") : cat("/proc/", thread, "/fd/", number);
}

mode_t umask_of(int thread) { return static_cast<mode_t>(status_number(thread, "Umask:", 8).value_or(077)); }

std::variant<Fd, int> open_process(int thread) {
  const auto process = status_number(thread, "Tgid:");
  if (!process) return ESRCH;
  Fd handle(static_cast<int>(::syscall(kernel::kNrPidfdOpen, *process, 0)));
  if (!handle.valid()) return errno;
  return handle;
}

std::variant<Fd, int> take_descriptor(const Fd& process, int number) {
  Fd taken(static_cast<int>(::syscall(kernel::kNrPidfdGetfd, process.get(), number, 0)));
  if (!taken.valid()) return errno;
  return taken;
}

std::variant<Origin, int> origin_of(int thread, const Target& target, Root root) {
  if (!target.path) return object_at(open_descriptor(thread, target.directory));
  if (target.follow && target.resolve == 0) {
    if (const auto number = own_descriptor(thread, *target.path)) {
      return object_at(open_path(link_in_table(thread, *number)));
    }
  }
  if (root == Root::kPrivate) return from_private_root(thread, target);
  if (target.path->starts_with('/') && target.resolve == 0) {
    return Origin{.path = without_self(thread, *target.path)};
  }
  auto directory = open_descriptor(thread, target.directory);
  if (const int* error = std::get_if<int>(&directory)) return *error;
  return Origin{.fd = std::get<Fd>(std::move(directory)), .path = *target.path};
}

}  // namespace nono::supervise
