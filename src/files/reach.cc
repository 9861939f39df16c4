#include "files/reach.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <shared_mutex>
#include <utility>

#include "capability/path_resolution.h"
#include "kernel/uapi.h"
#include "supervise/name_change.h"
#include "supervise/object.h"
#include "supervise/opening.h"

namespace nono::files {
namespace {

constexpr int kNeverWaits = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
constexpr mode_t kNewFile = 0666;
constexpr mode_t kNewDirectory = 0777;

// As text: what `path` is in or would be made in.
std::string without_last_name(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return "/";
  const std::size_t cut = path.find_last_not_of('/', path.rfind('/', end));
  return cut == std::string::npos ? "/" : path.substr(0, cut + 1);
}

supervise::Origin at_path(const std::string& path) { return supervise::Origin{.path = path}; }

// What is to be changed is looked up in its directory, which is held: who replaces it has found that already.
supervise::Origin origin_of(const std::string& path, int flags) {
  if (!path.starts_with('/') || !supervise::is_plain(std::string_view(path).substr(1))) return at_path(path);
  const std::size_t cut = path.rfind('/') + 1;
  if ((flags & O_ACCMODE) != O_RDONLY && (flags & O_CREAT) == 0) {
    Fd directory(supervise::open_from({}, path.substr(0, cut), O_PATH | O_DIRECTORY | O_CLOEXEC, 0, kernel::kResolveNoSymlinks));
    if (directory.valid()) return {.fd = std::move(directory), .path = path.substr(cut), .place = path};
  }
  return {.path = path, .place = path};
}

}  // namespace

bool is_in_proc(const Fd& object, const struct stat& st) {
  if (major(st.st_dev) != 0) return false;  // on a disk
  struct statfs about {};
  return ::fstatfs(object.get(), &about) != 0 || about.f_type == PROC_SUPER_MAGIC;
}

Reach::Reach(capability::GrantList grants, capability::DenialList denials, mode_t umask)
    : grants_(std::move(grants)), names_(grants_, std::move(denials)), umask_(umask) {}

bool Reach::is_in_a_grant(const std::string& path) const {
  const std::string place = capability::canonicalize_existing_part(path);
  return std::ranges::any_of(grants_, [&](const capability::FsCapability& grant) { return grant.reaches(place); });
}

Expected<Opened> Reach::open_any(const std::string& path, int flags) {
  if (path.find('\0') != std::string::npos) return refuse(code::kInvalidPath);
  const bool is_judged = (flags & ~O_DIRECTORY) != O_RDONLY || !reads_freely();
  supervise::Origin at = is_judged ? origin_of(path, flags) : at_path(path);
  supervise::Answer answer = is_judged ? open_judged(at, flags) : open_unjudged(path, flags);
  if (answer.later) return refuse(code::kNotAFile);
  // What is not there outside is told no more of than what is.
  const bool is_missing = answer.error == ENOENT || answer.error == ENOTDIR;
  if (is_missing && !is_in_a_grant(path)) return refuse(code::kPermissionDenied);
  if (answer.error != 0) return refuse(answer.error);
  Opened opened{std::move(answer.opened), {}, std::move(answer.place)};
  if (answer.status) opened.st = *answer.status;
  else if (::fstat(opened.fd.get(), &opened.st) != 0) return refuse(errno);
  if (is_in_proc(opened.fd, opened.st)) return refuse(code::kPermissionDenied);
  if (at.fd.valid() && opened.place == at.place) opened.slot = supervise::Slot{std::move(at.fd), std::move(at.path)};
  return opened;
}

supervise::Answer Reach::open_judged(const supervise::Origin& at, int flags) {
  const supervise::Open call{supervise::Target{.path = at.path}, flags | kNeverWaits, kNewFile};
  const std::shared_lock lock(names_.moving());
  return supervise::open_for(call, at, [this] { return std::optional(umask_); }, names_, Fd());
}

// No name is closed to readers, so there is nothing to ask.
supervise::Answer Reach::open_unjudged(const std::string& path, int flags) {
  supervise::Answer answer;
  answer.opened = Fd(supervise::open_from(at_path(path), path, flags | kNeverWaits, 0, 0));
  if (!answer.opened.valid()) answer.error = errno;
  return answer;
}

// A mode that says no to everybody is meant: root is not asked otherwise.
Expected<Opened> Reach::open(const std::string& path, int flags) {
  auto opened = open_any(path, flags);
  if (!opened) return opened;
  const mode_t mode = opened->st.st_mode;
  if (S_ISDIR(mode)) return refuse(code::kIsDirectory);
  if (!S_ISREG(mode)) return refuse(code::kNotAFile);
  const int access = flags & O_ACCMODE;
  const bool is_unreadable = access != O_WRONLY && (mode & 0444) == 0;
  const bool is_read_only = access != O_RDONLY && (mode & 0222) == 0;
  if (is_unreadable || is_read_only) return refuse(code::kPermissionDenied);
  return opened;
}

Expected<Opened> Reach::open_directory(const std::string& path) { return open_any(path, O_RDONLY | O_DIRECTORY); }

int Reach::make_directory(const std::string& path) {
  const supervise::NameCall call = supervise::MakeDirectory{supervise::Target{.path = path}, kNewDirectory};
  return supervise::change_name(call, at_path(path), supervise::Origin{}, umask_, names_);
}

Expected<void> Reach::make_parents(const std::string& path) {
  const std::string above = without_last_name(path);
  if (above == "/") return {};
  int error = make_directory(above);
  if (error == ENOENT) {
    if (auto made = make_parents(above); !made) return made;
    error = make_directory(above);
  }
  if (error == 0 || error == EEXIST) return {};
  // One that is there need not be made: a protected directory, or one above all grants.
  struct stat st {};
  if (::stat(above.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return {};
  return refuse(error);
}

int Reach::remove(const Fd& directory, const std::string& name, bool is_directory) {
  supervise::Origin origin{.fd = Fd(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 3)), .path = name};
  if (!origin.fd.valid()) return errno;
  const supervise::NameCall call = supervise::Remove{supervise::Target{.path = name}, is_directory};
  return supervise::change_name(call, origin, supervise::Origin{}, umask_, names_);
}

bool Reach::is_closed(const std::string& place, const struct stat* object, plan::Use use) const {
  std::optional<kernel::Identity> identity;
  if (object != nullptr) identity = kernel::Identity{object->st_dev, object->st_ino, object->st_mode};
  return names_.check(place, identity, use) != 0;
}

}  // namespace nono::files
