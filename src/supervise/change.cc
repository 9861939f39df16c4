#include "supervise/change.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "kernel/uapi.h"
#include "supervise/object.h"

namespace nono::supervise {
namespace {

constexpr int kEmptyPath = static_cast<int>(kernel::kAtEmptyPath);

int error_of(long result) { return result < 0 ? errno : 0; }

struct Performer {
  const Fd& object;

  // fchmodat2 is there since Linux 6.6; through the link the older call does the same.
  int operator()(const Mode& change) const {
    const int error = error_of(::syscall(kernel::kNrFchmodat2, object.get(), "", change.mode, kEmptyPath));
    if (error != ENOSYS) return error;
    return error_of(::chmod(link_to(object).c_str(), change.mode));
  }
  int operator()(const Owner& change) const {
    return error_of(::fchownat(object.get(), "", change.uid, change.gid, kEmptyPath));
  }
  int operator()(const Times& change) const {
    const timespec* times = change.times ? change.times->data() : nullptr;
    return error_of(::utimensat(object.get(), "", times, kEmptyPath));
  }
  int operator()(const SetAttribute& change) const {
    return error_of(::setxattr(link_to(object).c_str(), change.name.c_str(), change.value.data(),
                               change.value.size(), change.flags));
  }
  int operator()(const RemoveAttribute& change) const {
    return error_of(::removexattr(link_to(object).c_str(), change.name.c_str()));
  }
  int operator()(const FileAttributes& change) const {
    return error_of(::syscall(kernel::kNrFileSetattr, AT_FDCWD, link_to(object).c_str(), change.attributes.data(),
                              change.attributes.size(), 0));
  }
  // Takes a file that is open. Only what such flags are for: opening a device or a pipe would do something.
  int operator()(const FileFlags& change) const {
    struct stat st {};
    if (::fstat(object.get(), &st) != 0) return errno;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return ENOTTY;
    const int flags = O_NONBLOCK | O_CLOEXEC;
    Fd open_file(::open(link_to(object).c_str(), O_RDONLY | flags));
    if (!open_file.valid() && errno == EACCES) open_file = Fd(::open(link_to(object).c_str(), O_WRONLY | flags));
    if (!open_file.valid()) return errno;
    return error_of(::ioctl(open_file.get(), change.request, change.argument.data()));
  }
};

}  // namespace

int perform(const MetadataCall& call, const Fd& object) { return std::visit(Performer{object}, call.change); }

}  // namespace nono::supervise
