#include "supervise/metadata_call.h"

#include <limits.h>
#include <linux/limits.h>
#include <sys/time.h>
#include <utime.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>
#include <utility>

#include "kernel/uapi.h"
#include "plan/seccomp_rules.h"

namespace nono::supervise {
namespace {

using Arguments = std::array<std::uint64_t, 6>;

constexpr std::size_t kMaxStruct = 4096;  // the kernel's own bound for extensible structures: a page

class Decoder {
 public:
  Decoder(const Arguments& arguments, const Memory& memory) : arguments_(arguments), memory_(memory) {}

  std::variant<MetadataCall, int> decode(std::string_view name) {
    using Step = void (Decoder::*)();
    static const std::map<std::string_view, Step> steps{
        {"chmod", &Decoder::chmod},
        {"fchmod", &Decoder::fchmod},
        {"fchmodat", &Decoder::fchmodat},
        {"fchmodat2", &Decoder::fchmodat2},
        {"chown", &Decoder::chown},
        {"lchown", &Decoder::lchown},
        {"fchown", &Decoder::fchown},
        {"fchownat", &Decoder::fchownat},
        {"utime", &Decoder::utime},
        {"utimes", &Decoder::utimes},
        {"futimesat", &Decoder::futimesat},
        {"utimensat", &Decoder::utimensat},
        {"setxattr", &Decoder::setxattr},
        {"lsetxattr", &Decoder::lsetxattr},
        {"fsetxattr", &Decoder::fsetxattr},
        {"setxattrat", &Decoder::setxattrat},
        {"removexattr", &Decoder::removexattr},
        {"lremovexattr", &Decoder::lremovexattr},
        {"fremovexattr", &Decoder::fremovexattr},
        {"removexattrat", &Decoder::removexattrat},
        {"file_setattr", &Decoder::file_setattr},
        {"ioctl", &Decoder::ioctl},
    };
    const auto step = steps.find(name);
    if (step == steps.end()) return ENOSYS;
    (this->*step->second)();
    if (error_ != 0) return error_;
    return std::move(call_);
  }

 private:
  void chmod() { path_at(AT_FDCWD, 0), mode(1); }
  void fchmod() { descriptor(0), mode(1); }
  void fchmodat() { path_at(integer(0), 1), mode(2); }
  void fchmodat2() { path_at(integer(0), 1, flags(3)), mode(2); }
  void chown() { path_at(AT_FDCWD, 0), owner(1); }
  void lchown() { path_at(AT_FDCWD, 0, AT_SYMLINK_NOFOLLOW), owner(1); }
  void fchown() { descriptor(0), owner(1); }
  void fchownat() { path_at(integer(0), 1, flags(4)), owner(2); }
  void utime() { path_at(AT_FDCWD, 0), whole_seconds(1); }
  void utimes() { path_at(AT_FDCWD, 0), microseconds(1); }
  void futimesat() { path_or_descriptor(0, 1, 0), microseconds(2); }
  void utimensat() { path_or_descriptor(0, 1, flags(3)), nanoseconds(2); }
  void setxattr() { path_at(AT_FDCWD, 0), set_attribute(1); }
  void lsetxattr() { path_at(AT_FDCWD, 0, AT_SYMLINK_NOFOLLOW), set_attribute(1); }
  void fsetxattr() { descriptor(0), set_attribute(1); }
  void removexattr() { path_at(AT_FDCWD, 0), remove_attribute(1); }
  void lremovexattr() { path_at(AT_FDCWD, 0, AT_SYMLINK_NOFOLLOW), remove_attribute(1); }
  void fremovexattr() { descriptor(0), remove_attribute(1); }
  void removexattrat() { path_at(integer(0), 1, flags(2)), remove_attribute(3); }

  void setxattrat() {
    path_at(integer(0), 1, flags(2));
    struct {
      std::uint64_t value;
      std::uint32_t size;
      std::uint32_t flags;
    } arguments{};
    if (arguments_[5] != sizeof arguments) return fail(arguments_[5] < sizeof arguments ? EINVAL : E2BIG);
    note(read_object(memory_, arguments_[4], arguments));
    set_attribute(3, arguments.value, arguments.size, arguments.flags);
  }

  void file_setattr() {
    constexpr std::size_t kFirstVersion = 24;
    path_at(integer(0), 1, flags(4));
    const std::uint64_t size = arguments_[3];
    if (size < kFirstVersion) return fail(EINVAL);
    if (size > kMaxStruct) return fail(E2BIG);
    FileAttributes change{std::vector<std::byte>(size)};
    note(read_all(memory_, arguments_[2], change.attributes));
    call_.change = std::move(change);
  }

  void ioctl() {
    descriptor(0);
    const auto request = static_cast<std::uint32_t>(arguments_[1]);
    if (std::ranges::find(plan::kMetadataIoctls, request) == plan::kMetadataIoctls.end()) return fail(ENOTTY);
    // The kernel reads an int whatever size the number says; struct fsxattr has 28 bytes.
    constexpr std::uint32_t kFsSetXattr = plan::kMetadataIoctls.back();
    FileFlags change{request, std::vector<std::byte>(request == kFsSetXattr ? 28 : sizeof(int))};
    note(read_all(memory_, arguments_[2], change.argument));
    call_.change = std::move(change);
  }

  // --- targets ---------------------------------------------------------------------------------

  void path_at(int directory, std::size_t argument, unsigned flags = 0) {
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | kernel::kAtEmptyPath)) != 0) return fail(EINVAL);
    std::string path;
    note(read_text(memory_, arguments_[argument], PATH_MAX, ENAMETOOLONG, path));
    if (error_ != 0) return;
    call_.target = {directory, std::move(path), (flags & AT_SYMLINK_NOFOLLOW) == 0};
    if (!call_.target.path->empty()) return;
    if ((flags & kernel::kAtEmptyPath) == 0) return fail(ENOENT);
    call_.target.path.reset();
  }
  void path_or_descriptor(std::size_t directory, std::size_t path, unsigned flags) {
    if (arguments_[path] != 0) return path_at(integer(directory), path, flags);
    if (integer(directory) == AT_FDCWD) return fail(EFAULT);
    if (flags != 0) return fail(EINVAL);
    descriptor(directory);
  }
  void descriptor(std::size_t argument) {
    call_.target = {integer(argument), std::nullopt, true};
    if (call_.target.directory < 0) fail(EBADF);
  }

  // --- changes ---------------------------------------------------------------------------------

  void mode(std::size_t argument) { call_.change = Mode{static_cast<mode_t>(arguments_[argument] & 07777)}; }
  void owner(std::size_t argument) {
    call_.change = Owner{static_cast<uid_t>(arguments_[argument]), static_cast<gid_t>(arguments_[argument + 1])};
  }

  void nanoseconds(std::size_t argument) {
    Times change;
    if (arguments_[argument] != 0) note(read_object(memory_, arguments_[argument], change.times.emplace()));
    call_.change = change;
  }
  void microseconds(std::size_t argument) {
    Times change;
    if (arguments_[argument] != 0) {
      std::array<timeval, 2> given{};
      note(read_object(memory_, arguments_[argument], given));
      auto& times = change.times.emplace();
      for (std::size_t i = 0; i < 2; ++i) {
        if (given[i].tv_usec < 0 || given[i].tv_usec >= 1'000'000) return fail(EINVAL);
        times[i] = {given[i].tv_sec, given[i].tv_usec * 1000};
      }
    }
    call_.change = change;
  }
  void whole_seconds(std::size_t argument) {
    Times change;
    if (arguments_[argument] != 0) {
      utimbuf given{};
      note(read_object(memory_, arguments_[argument], given));
      change.times = {timespec{given.actime, 0}, timespec{given.modtime, 0}};
    }
    call_.change = change;
  }

  void set_attribute(std::size_t name) {
    set_attribute(name, arguments_[name + 1], arguments_[name + 2], arguments_[name + 3]);
  }
  void set_attribute(std::size_t name, std::uint64_t value, std::uint64_t size, std::uint64_t flags) {
    SetAttribute change;
    change.name = attribute_name(name);
    if (size > XATTR_SIZE_MAX) return fail(E2BIG);
    change.value.resize(size);
    if (size != 0) note(read_all(memory_, value, change.value));
    change.flags = static_cast<int>(flags);
    call_.change = std::move(change);
  }
  void remove_attribute(std::size_t name) { call_.change = RemoveAttribute{attribute_name(name)}; }
  std::string attribute_name(std::size_t argument) {
    std::string name;
    note(read_text(memory_, arguments_[argument], XATTR_NAME_MAX + 1, ERANGE, name));
    if (name.empty()) fail(ERANGE);
    return name;
  }

  // --- arguments -------------------------------------------------------------------------------

  [[nodiscard]] int integer(std::size_t argument) const { return static_cast<int>(arguments_[argument]); }
  [[nodiscard]] unsigned flags(std::size_t argument) const { return static_cast<unsigned>(arguments_[argument]); }
  void fail(int error) {
    if (error_ == 0) error_ = error;
  }
  void note(int error) {
    if (error != 0) fail(error);
  }

  const Arguments& arguments_;
  const Memory& memory_;
  MetadataCall call_;
  int error_ = 0;
};

}  // namespace

std::variant<MetadataCall, int> decode(kernel::Arch arch, int number, const Arguments& arguments,
                                       const Memory& memory) {
  for (const plan::Syscall& call : plan::syscall_table()) {
    if ((arch == kernel::Arch::kX86_64 ? call.x86_64 : call.aarch64) != number) continue;
    return Decoder(arguments, memory).decode(call.name);
  }
  return ENOSYS;
}

}  // namespace nono::supervise
