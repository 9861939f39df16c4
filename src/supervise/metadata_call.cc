#include "supervise/metadata_call.h"

#include <limits.h>
#include <linux/limits.h>
#include <sys/time.h>
#include <utime.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/once.h"
#include "kernel/uapi.h"
#include "plan/seccomp_rules.h"

namespace nono::supervise {
namespace {

constexpr std::size_t kMaxStruct = 4096;  // the kernel's own bound for extensible structures: a page

class Decoder {
 public:
  Decoder(const Arguments& arguments, const Memory& memory) : in_(arguments, memory) {}

  std::variant<MetadataCall, int> decode(std::string_view name) {
    static constinit Once<Steps<Decoder>> steps;
    const auto make = [] {
      return Steps<Decoder>{
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
    };
    return run_step(steps.get(make), name, *this, in_, call_);
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
    if (word(5) != sizeof arguments) return fail(word(5) < sizeof arguments ? EINVAL : E2BIG);
    note(read_object(in_.memory(), word(4), arguments));
    set_attribute(3, arguments.value, arguments.size, arguments.flags);
  }

  void file_setattr() {
    constexpr std::size_t kFirstVersion = 24;
    path_at(integer(0), 1, flags(4));
    const std::uint64_t size = word(3);
    if (size < kFirstVersion) return fail(EINVAL);
    if (size > kMaxStruct) return fail(E2BIG);
    FileAttributes change{std::vector<std::byte>(size)};
    note(read_all(in_.memory(), word(2), change.attributes));
    call_.change = std::move(change);
  }

  void ioctl() {
    descriptor(0);
    const auto request = static_cast<std::uint32_t>(word(1));
    if (std::ranges::find(plan::kMetadataIoctls, request) == plan::kMetadataIoctls.end()) return fail(ENOTTY);
    // The kernel reads an int whatever size the number says; struct fsxattr has 28 bytes.
    constexpr std::uint32_t kFsSetXattr = plan::kMetadataIoctls.back();
    FileFlags change{request, std::vector<std::byte>(request == kFsSetXattr ? 28 : sizeof(int))};
    note(read_all(in_.memory(), word(2), change.argument));
    call_.change = std::move(change);
  }

  // --- targets ---------------------------------------------------------------------------------

  void path_at(int directory, std::size_t argument, unsigned flags = 0) {
    call_.target = in_.path_at(directory, argument, flags);
  }
  void path_or_descriptor(std::size_t directory, std::size_t path, unsigned flags) {
    if (word(path) != 0) return path_at(integer(directory), path, flags);
    if (integer(directory) == AT_FDCWD) return fail(EFAULT);
    if (flags != 0) return fail(EINVAL);
    descriptor(directory);
  }
  void descriptor(std::size_t argument) { call_.target = in_.descriptor(argument); }

  // --- changes ---------------------------------------------------------------------------------

  void mode(std::size_t argument) { call_.change = Mode{static_cast<mode_t>(word(argument) & 07777)}; }
  void owner(std::size_t argument) {
    call_.change = Owner{static_cast<uid_t>(word(argument)), static_cast<gid_t>(word(argument + 1))};
  }

  void nanoseconds(std::size_t argument) {
    Times change;
    if (word(argument) != 0) note(read_object(in_.memory(), word(argument), change.times.emplace()));
    call_.change = change;
  }
  void microseconds(std::size_t argument) {
    Times change;
    if (word(argument) != 0) {
      std::array<timeval, 2> given{};
      note(read_object(in_.memory(), word(argument), given));
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
    if (word(argument) != 0) {
      utimbuf given{};
      note(read_object(in_.memory(), word(argument), given));
      change.times = {timespec{given.actime, 0}, timespec{given.modtime, 0}};
    }
    call_.change = change;
  }

  void set_attribute(std::size_t name) {
    set_attribute(name, word(name + 1), word(name + 2), word(name + 3));
  }
  void set_attribute(std::size_t name, std::uint64_t value, std::uint64_t size, std::uint64_t flags) {
    SetAttribute change;
    change.name = attribute_name(name);
    if (size > XATTR_SIZE_MAX) return fail(E2BIG);
    change.value.resize(size);
    if (size != 0) note(read_all(in_.memory(), value, change.value));
    change.flags = static_cast<int>(flags);
    call_.change = std::move(change);
  }
  void remove_attribute(std::size_t name) { call_.change = RemoveAttribute{attribute_name(name)}; }
  std::string attribute_name(std::size_t argument) {
    std::string name;
    note(read_text(in_.memory(), word(argument), XATTR_NAME_MAX + 1, ERANGE, name));
    if (name.empty()) fail(ERANGE);
    return name;
  }

  [[nodiscard]] std::uint64_t word(std::size_t argument) const { return in_.word(argument); }
  [[nodiscard]] int integer(std::size_t argument) const { return in_.integer(argument); }
  [[nodiscard]] unsigned flags(std::size_t argument) const { return in_.flags(argument); }
  void fail(int error) { in_.fail(error); }
  void note(int error) { in_.note(error); }

  CallReader in_;
  MetadataCall call_;
};

}  // namespace

std::variant<MetadataCall, int> decode_metadata_call(std::string_view name, const Arguments& arguments,
                                                     const Memory& memory) {
  return Decoder(arguments, memory).decode(name);
}

}  // namespace nono::supervise
