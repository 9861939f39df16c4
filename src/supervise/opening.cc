#include "supervise/opening.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "kernel/fd_table.h"
#include "kernel/uapi.h"
#include "supervise/object.h"

namespace nono::supervise {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel
constexpr int kHere = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;  // nothing may hold this thread up, or give it a terminal

bool makes(int flags) { return (flags & O_CREAT) != 0; }
bool makes_nameless(int flags) { return (flags & O_TMPFILE) == O_TMPFILE; }
bool changes(int flags) { return (flags & (O_ACCMODE | O_TRUNC)) != 0 || makes_nameless(flags); }

class Opening {
 public:
  Opening(const Open& call, const Origin& origin, const AskUmask& umask, DeniedNames& names)
      : call_(call), origin_(origin), umask_(umask), names_(names) {}

  Answer run(Fd waiting) {
    if (waiting.valid()) return give(std::move(waiting));
    if ((call_.flags & (O_CREAT | O_TRUNC)) == 0 && !makes_nameless(call_.flags)) return open_existing();
    if (!makes(call_.flags)) return open_held(call_.target.follow);
    return open_or_make();
  }

 private:
  // Nothing is changed by the open itself: it is judged by what was opened.
  Answer open_existing() {
    if (origin_.is_object) return open_held(true);
    if (!origin_.place.empty() && names_.are_ascii()) {
      // Its place is known, then, and need not be asked for.
      Fd plain(open_from(origin_, origin_.path, call_.flags | kHere, 0, kernel::kResolveNoSymlinks));
      if (plain.valid()) return judge_and_give(std::move(plain), &origin_.place);
      if (errno == ENOENT) return Answer::of(ENOENT);
    }
    Fd opened(open_from(origin_, origin_.path, call_.flags | kHere, 0, call_.target.resolve));
    if (!opened.valid()) return failure(errno, [this] { return open_object(origin_, call_.target.follow); });
    return judge_and_give(std::move(opened), nullptr);
  }

  Answer judge_and_give(Fd opened, const std::string* place) const {
    struct stat st {};
    if (::fstat(opened.get(), &st) != 0) return Answer::of(errno);
    std::string found;
    if (const int error = judge(opened, st, place, &found)) return Answer::of(error);
    Answer answer = give(std::move(opened), st);
    answer.place = place != nullptr ? *place : std::move(found);
    return answer;
  }

  // What exists is held before anything is done to it.
  Answer open_held(bool follow) {
    auto object = open_object(origin_, follow, call_.target.resolve);
    if (const int* error = std::get_if<int>(&object)) return Answer::of(*error);
    return reopen(std::get<Fd>(std::move(object)));
  }

  Answer reopen(Fd object) {
    struct stat st {};
    if (::fstat(object.get(), &st) != 0) return Answer::of(errno);
    if (S_ISLNK(st.st_mode)) return Answer::of((call_.flags & O_DIRECTORY) != 0 ? ENOTDIR : ELOOP);
    if (S_ISDIR(st.st_mode) && makes(call_.flags)) return Answer::of(EISDIR);
    if (const int error = judge(object, st, nullptr)) return Answer::of(error);
    if (makes_nameless(call_.flags) && !take_umask()) return Answer::of(ESRCH);
    const int flags = call_.flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW);
    const bool keeps_nameless = makes_nameless(call_.flags) && (call_.flags & O_EXCL) != 0;
    Fd opened(::open(link_to(object).c_str(), flags | kHere | (keeps_nameless ? O_EXCL : 0), call_.mode));
    if (!opened.valid()) return failure(errno, [&] { return std::variant<Fd, int>(std::move(object)); });
    return give(std::move(opened));
  }

  // The kernel's own order: what exists is opened; what does not is made where a dangling link points.
  Answer open_or_make() {
    if (origin_.is_object) return (call_.flags & O_EXCL) != 0 ? Answer::of(EEXIST) : open_held(true);
    Origin at{.fd = Fd(::fcntl(origin_.directory(), F_DUPFD_CLOEXEC, 3)), .path = origin_.path, .root = origin_.root};
    const bool is_root = at.path.find_first_not_of('/') == std::string::npos;
    if (at.path.ends_with('/') && !is_root) return Answer::of(EISDIR);
    for (int links = 0; links < kMaxLinks;) {
      auto slot = open_slot(at, call_.target.resolve);
      if (const int* error = std::get_if<int>(&slot)) return Answer::of(*error);
      const Slot& held = std::get<Slot>(slot);
      if (is_special(held)) return Answer::of((call_.flags & O_EXCL) != 0 ? EEXIST : EISDIR);
      Fd there(::openat(held.directory.get(), held.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      if (!there.valid()) {
        if (errno != ENOENT) return Answer::of(errno);
        if (auto answer = make(held)) return *std::move(answer);
        continue;  // somebody else has made it
      }
      if ((call_.flags & O_EXCL) != 0) return Answer::of(EEXIST);
      struct stat st {};
      if (::fstat(there.get(), &st) != 0) return Answer::of(errno);
      if (!S_ISLNK(st.st_mode)) return reopen(std::move(there));
      if (!call_.target.follow || (call_.target.resolve & kernel::kResolveNoSymlinks) != 0) return Answer::of(ELOOP);
      if (const int error = step_through(there, std::get<Slot>(slot), at)) return Answer::of(error);
      ++links;
    }
    return Answer::of(ELOOP);
  }

  // The path goes on where a link points. Magic links are none of ours: own_descriptor has taken the caller's.
  int step_through(const Fd& link, Slot& slot, Origin& at) const {
    std::array<char, PATH_MAX> text;
    const ssize_t size = ::readlinkat(link.get(), "", text.data(), text.size());
    if (size < 0) return errno;
    if (size == 0 || static_cast<std::size_t>(size) == text.size()) return ENAMETOOLONG;
    std::string path(text.data(), static_cast<std::size_t>(size));
    if (path.starts_with('/') && call_.target.resolve != 0) return EXDEV;
    if (!path.starts_with('/') && at.root == Root::kPrivate) {
      const auto directory = place_of(slot.directory);
      if (const int* error = std::get_if<int>(&directory)) return *error;
      path = std::get<std::string>(directory) + "/" + path;
    } else if (!path.starts_with('/')) {
      at.fd = std::move(slot.directory);
    }
    if (path.ends_with('/')) return EISDIR;
    at.path = std::move(path);
    return 0;
  }

  // None: something is there now.
  std::optional<Answer> make(const Slot& slot) {
    const auto place = place_of(slot);
    if (const int* error = std::get_if<int>(&place)) return Answer::of(*error);
    if (const int error = check(std::get<std::string>(place), std::nullopt)) return Answer::of(error);
    if (!take_umask()) return Answer::of(ESRCH);
    const int flags = call_.flags | O_EXCL | kHere;
    Fd opened(::openat(slot.directory.get(), slot.name.c_str(), flags, call_.mode));
    if (opened.valid()) return give(std::move(opened));
    if (errno == EEXIST && (call_.flags & O_EXCL) == 0) return std::nullopt;
    return Answer::of(errno);
  }

  [[nodiscard]] bool take_umask() const {
    const auto callers = umask_();
    if (callers) ::umask(*callers);
    return callers.has_value();
  }

  // `found`: gets its place if that is not known.
  int judge(const Fd& object, const struct stat& st, const std::string* known_place, std::string* found = nullptr) const {
    // Landlock says at the open of a device what its ioctl may do; /dev/null has none.
    const bool is_device = (S_ISCHR(st.st_mode) && st.st_rdev != makedev(1, 3)) || S_ISBLK(st.st_mode);
    if (origin_.root == Root::kGrant && is_device) return EXDEV;
    // It would be this process's terminal; the command has none.
    if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 0)) return ENXIO;
    const kernel::Identity identity{st.st_dev, st.st_ino, st.st_mode};
    if (known_place != nullptr) return check(*known_place, identity);
    auto place = place_of(object, st);
    if (const int* error = std::get_if<int>(&place)) return *error;
    auto& path = std::get<std::string>(place);
    const int error = path.empty() ? 0 : is_ours(object, st, path) ? EACCES : check(path, identity);
    if (found != nullptr) *found = std::move(path);
    return error;
  }

  // For each use that the flags ask for. No object: it is to be made.
  int check(const std::string& place, const std::optional<kernel::Identity>& object) const {
    const int error = !object || changes(call_.flags) ? names_.check(place, object, plan::Use::kChange) : 0;
    const bool is_read = (call_.flags & O_ACCMODE) != O_WRONLY;
    return error == 0 && is_read ? names_.check(place, object, plan::Use::kRead) : error;
  }

  // What the kernel shows of this process to its own threads, as which it is opened here: also by the number of one of
  // them, and by links to /proc/self.
  static bool is_ours(const Fd& object, const struct stat& st, std::string_view place) {
    if (major(st.st_dev) != 0) return false;  // on a disk
    struct statfs about {};
    if (::fstatfs(object.get(), &about) != 0) return true;
    if (about.f_type != PROC_SUPER_MAGIC) return false;
    constexpr std::string_view kProc = "/proc/";
    if (!place.starts_with(kProc)) return place != "/proc";  // mounted elsewhere: its numbers may be others
    const std::string_view process = place.substr(kProc.size(), place.find('/', kProc.size()) - kProc.size());
    return process == "self" || process == "thread-self" || ::access(cat("/proc/self/task/", process).c_str(), F_OK) == 0;
  }

  // Would it have had to wait? A FIFO for its other end, a file for whoever has a lease.
  template <class Held>
  Answer failure(int error, Held held) const {
    if (error == EWOULDBLOCK && (call_.flags & O_NONBLOCK) == 0) return Answer::not_yet();
    if (error != ENXIO) return Answer::of(error);
    const auto object = held();
    struct stat st {};
    const Fd* fd = std::get_if<Fd>(&object);
    if (fd == nullptr || ::fstat(fd->get(), &st) != 0) return Answer::of(error);
    if (const int denied = judge(*fd, st, nullptr)) return Answer::of(denied);
    return S_ISFIFO(st.st_mode) && (call_.flags & O_NONBLOCK) == 0 ? Answer::not_yet() : Answer::of(error);
  }

  Answer give(Fd opened) const {
    struct stat st {};
    if (::fstat(opened.get(), &st) != 0) return Answer::of(errno);
    return give(std::move(opened), st);
  }

  Answer give(Fd opened, const struct stat& st) const {
    const bool reads = (call_.flags & O_ACCMODE) == O_RDONLY;
    if ((call_.flags & O_NONBLOCK) == 0) {
      if (reads && S_ISFIFO(st.st_mode) && !has_writer(opened)) return Answer::not_yet(std::move(opened));
      if (::fcntl(opened.get(), F_SETFL, call_.flags & ~O_NONBLOCK) != 0) return Answer::of(errno);  // takes what it may change
    }
    const bool is_only_read = reads && S_ISREG(st.st_mode);
    return {.opened = std::move(opened), .close_on_exec = (call_.flags & O_CLOEXEC) != 0, .is_sole = !is_only_read, .status = st};
  }

  // Of a FIFO that was opened for reading. tee(2) of nothing says 0 where no writer is, and
  // takes nothing out of it; poll(2) knows of one that has been there meanwhile.
  static bool has_writer(const Fd& opened) {
    struct pollfd ends = {opened.get(), POLLIN, 0};
    if (::poll(&ends, 1, 0) > 0) return true;
    auto pipe = kernel::pipe2(O_NONBLOCK);
    if (!pipe) return true;
    return ::tee(opened.get(), pipe->write.get(), 1, SPLICE_F_NONBLOCK) != 0;
  }

  const Open& call_;
  const Origin& origin_;
  const AskUmask& umask_;
  DeniedNames& names_;
};

}  // namespace

Answer open_for(const Open& call, const Origin& origin, const AskUmask& umask, DeniedNames& names, Fd waiting) {
  return Opening(call, origin, umask, names).run(std::move(waiting));
}

}  // namespace nono::supervise
