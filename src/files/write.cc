#include "files/write.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <variant>

#include "base/text.h"
#include "kernel/uapi.h"
#include "supervise/object.h"

namespace nono::files {
namespace {

using supervise::Slot;

// 0 or an errno.
int write_all(const Fd& file, std::string_view content) {
  off_t at = 0;
  while (!content.empty()) {
    const ssize_t size = ::pwrite(file.get(), content.data(), content.size(), at);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    at += size;
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  return 0;
}

// What a new file would not have. Labels of security modules are for the system to give.
bool has_attributes(const Fd& file) {
  std::array<char, 1024> names;
  const ssize_t size = ::flistxattr(file.get(), names.data(), names.size());
  if (size < 0) return errno != ENOTSUP;
  std::string_view rest(names.data(), static_cast<std::size_t>(size));
  while (!rest.empty()) {
    if (!rest.starts_with("security.")) return true;
    rest.remove_prefix(rest.find('\0') + 1);
  }
  return false;
}

struct Name {
  Slot slot;
  std::string place;
};

// Where the file is, if that is its only name.
std::optional<Name> only_name(Opened& file) {
  if (file.st.st_nlink != 1) return std::nullopt;
  if (file.slot) return Name{*std::exchange(file.slot, std::nullopt), file.place};
  std::string path = file.place;
  if (path.empty()) {
    auto place = supervise::place_of(file.fd, file.st);
    if (std::holds_alternative<int>(place)) return std::nullopt;
    path = std::get<std::string>(std::move(place));
  }
  auto slot = supervise::open_slot(supervise::Origin{.path = path}, kernel::kResolveNoSymlinks);
  if (std::holds_alternative<int>(slot)) return std::nullopt;
  struct stat st {};
  Slot& held = std::get<Slot>(slot);
  const bool is_it = ::fstatat(held.directory.get(), held.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                     st.st_dev == file.st.st_dev && st.st_ino == file.st.st_ino;
  return is_it ? std::optional(Name{std::move(held), std::move(path)}) : std::nullopt;
}

std::string temporary_name() {
  std::uint64_t number = 0;
  ::arc4random_buf(&number, sizeof number);
  return cat(".nono-", number);
}

// A new file beside the old one, until it takes its name.
class Successor {
 public:
  // None: it cannot be had, or not as the old one is. `name` is used by what it returns.
  static std::optional<Successor> of(const Reach& reach, const Opened& old, const Name& name) {
    std::string own = temporary_name();
    if (reach.is_closed(cat(std::string_view(name.place).substr(0, name.place.rfind('/') + 1), own), nullptr, plan::Use::kChange)) return std::nullopt;
    // As a write would: without what makes programs run as somebody else.
    const mode_t mode = old.st.st_mode & 01777;
    Fd file(::openat(name.slot.directory.get(), own.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0777));
    if (!file.valid()) return std::nullopt;
    Successor made(name.slot, std::move(own), std::move(file));
    return made.take_after(old.st, mode) ? std::optional(std::move(made)) : std::nullopt;
  }
  Successor(Successor&&) = default;
  Successor& operator=(Successor&&) = delete;
  ~Successor() {
    if (file_.valid()) (void)remove();
  }

  // 0 or an errno.
  int write(std::string_view content) { return write_all(file_, content); }

  // They change names, and the old one goes: ext4 would begin to write to the disk before it lets a file take the place of
  // another, so that a crash leaves one of the two; here that happens when the call has been answered.
  int take_name(Reach& reach) {
    int error = rename(RENAME_EXCHANGE);
    if (error == EINVAL || error == ENOSYS || error == ENOENT) {  // ENOENT: somebody has removed the old one
      error = rename(0);
    } else if (error == 0 && remove() != 0) {  // a directory: somebody has put it there meanwhile
      error = rename(RENAME_EXCHANGE);
      return error == 0 ? EISDIR : error;
    }
    if (error == 0) reach.flush_later(std::move(file_));
    return error;
  }

 private:
  Successor(const Slot& old, std::string name, Fd file) : old_(&old), name_(std::move(name)), file_(std::move(file)) {}

  [[nodiscard]] int rename(unsigned flags) const {
    const int directory = old_->directory.get();
    return ::syscall(SYS_renameat2, directory, name_.c_str(), directory, old_->name.c_str(), flags) == 0 ? 0 : errno;
  }
  [[nodiscard]] int remove() const { return ::unlinkat(old_->directory.get(), name_.c_str(), 0) == 0 ? 0 : errno; }

  bool take_after(const struct stat& old, mode_t mode) {
    struct stat own {};
    if (::fstat(file_.get(), &own) != 0) return false;
    const bool has_owner = own.st_uid == old.st_uid && own.st_gid == old.st_gid;
    if (!has_owner && ::fchown(file_.get(), old.st_uid, old.st_gid) != 0) return false;
    return (own.st_mode & 07777) == mode || ::fchmod(file_.get(), mode) == 0;
  }

  const Slot* old_;  // in the same directory
  std::string name_;
  Fd file_;
};

// Blocks are reserved before anything is lost; where a file system cannot, it is as for anybody who writes.
int write_in_place(const Opened& file, std::string_view content) {
  const auto size = static_cast<off_t>(content.size());
  if (size > 0 && ::fallocate(file.fd.get(), FALLOC_FL_KEEP_SIZE, 0, size) != 0 && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
  if (::ftruncate(file.fd.get(), 0) != 0) return errno;
  return write_all(file.fd, content);
}

Expected<void> done(int error) {
  if (error != 0) return refuse(error);
  return {};
}

Expected<void> write_new(Reach& reach, const std::string& path, std::string_view content, Existing existing) {
  const int flags = O_WRONLY | O_CREAT | (existing == Existing::kIsRefused ? O_EXCL : 0);
  auto made = reach.open(path, flags);
  if (!made && made.error().code == code::kFileNotFound) {
    if (auto parents = reach.make_parents(path); !parents) return parents;
    made = reach.open(path, flags);
  }
  if (!made) return tl::unexpected(made.error());
  if (made->st.st_size != 0) return replace_content(reach, *made, content);  // another has made it meanwhile
  const int error = write_all(made->fd, content);
  if (error == 0) return {};
  // Half a file is worse than none.
  if (const auto name = only_name(*made)) (void)reach.remove(name->slot.directory, name->slot.name, false);
  return refuse(error);
}

}  // namespace

Expected<void> replace_content(Reach& reach, Opened& file, std::string_view content) {
  if (const auto name = has_attributes(file.fd) ? std::nullopt : only_name(file)) {
    if (auto successor = Successor::of(reach, file, *name)) {
      const int error = successor->write(content);
      return done(error != 0 ? error : successor->take_name(reach));
    }
  }
  return done(write_in_place(file, content));
}

Expected<void> write_file(Reach& reach, const std::string& path, std::string_view content, Existing existing) {
  auto file = reach.open(path, O_WRONLY);
  if (file && existing == Existing::kIsRefused) return refuse(code::kAlreadyExists);
  if (file) return replace_content(reach, *file, content);
  if (file.error().code == code::kFileNotFound) return write_new(reach, path, content, existing);
  return tl::unexpected(file.error());
}

}  // namespace nono::files
