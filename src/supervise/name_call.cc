#include "supervise/name_call.h"

#include <linux/fs.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "base/once.h"
#include "kernel/uapi.h"

namespace nono::supervise {
namespace {

constexpr mode_t kPermissions = 07777;
constexpr int kUnknownToKernel = ~037777777;  // above every O_* flag; open and openat ignore such bits

class Decoder {
 public:
  Decoder(const Arguments& arguments, const Memory& memory) : in_(arguments, memory) {}

  std::variant<NameCall, int> decode(std::string_view name) {
    static constinit Once<Steps<Decoder>> steps;
    const auto make = [] {
      return Steps<Decoder>{
          {"open", &Decoder::open},         {"openat", &Decoder::openat},         {"openat2", &Decoder::openat2},
          {"creat", &Decoder::creat},       {"mkdir", &Decoder::mkdir},           {"mkdirat", &Decoder::mkdirat},
          {"mknod", &Decoder::mknod},       {"mknodat", &Decoder::mknodat},       {"symlink", &Decoder::symlink},
          {"symlinkat", &Decoder::symlinkat}, {"link", &Decoder::link},           {"linkat", &Decoder::linkat},
          {"rename", &Decoder::rename},     {"renameat", &Decoder::renameat},     {"renameat2", &Decoder::renameat2},
          {"unlink", &Decoder::unlink},     {"unlinkat", &Decoder::unlinkat},     {"rmdir", &Decoder::rmdir},
          {"truncate", &Decoder::truncate},
      };
    };
    return run_step(steps.get(make), name, *this, in_, call_);
  }

 private:
  void open() { open_path(AT_FDCWD, 0, in_.integer(1), in_.word(2)); }
  void openat() { open_path(in_.integer(0), 1, in_.integer(2), in_.word(3)); }
  void creat() { open_path(AT_FDCWD, 0, O_CREAT | O_WRONLY | O_TRUNC, in_.word(1)); }
  void openat2() {
    std::array<std::byte, 64> given{};
    kernel::OpenHow how;
    const std::uint64_t size = in_.word(3);
    if (size < sizeof how) return in_.fail(EINVAL);
    if (size > given.size()) return in_.fail(E2BIG);
    const std::span read = std::span(given).first(size);
    in_.note(read_all(in_.memory(), in_.word(2), read));
    if (std::ranges::any_of(read.subspan(sizeof how), [](std::byte byte) { return byte != std::byte{0}; })) {
      return in_.fail(E2BIG);
    }
    std::copy_n(given.begin(), sizeof how, std::as_writable_bytes(std::span(&how, 1)).begin());
    if ((how.flags & ~std::uint64_t{0x7fffffff}) != 0 || (how.mode & ~std::uint64_t{kPermissions}) != 0) {
      return in_.fail(EINVAL);
    }
    if (const auto flags = static_cast<int>(how.flags); (flags & kUnknownToKernel) != 0) return in_.fail(EINVAL);
    if (how.mode != 0 && !makes(static_cast<int>(how.flags))) return in_.fail(EINVAL);
    // Such a descriptor cannot be handed over. The filter lets open and openat with it through.
    if ((how.flags & O_PATH) != 0) return in_.fail(ENOSYS);
    open_path(in_.integer(0), 1, static_cast<int>(how.flags), how.mode);
    std::get<Open>(call_).target.resolve = how.resolve;
  }
  // Without O_CREAT and O_TMPFILE there need not be a mode: whatever is in the register is not one.
  void open_path(int directory, std::size_t path, int flags, std::uint64_t mode) {
    flags &= ~kUnknownToKernel;
    Target target = below(directory, path, (flags & O_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0);
    call_ = Open{std::move(target), flags, makes(flags) ? static_cast<mode_t>(mode) & kPermissions : 0};
  }

  static bool makes(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

  void mkdir() { make_directory(AT_FDCWD, 0, 1); }
  void mkdirat() { make_directory(in_.integer(0), 1, 2); }
  void make_directory(int directory, std::size_t path, std::size_t mode) {
    call_ = MakeDirectory{below(directory, path), permissions(mode)};
  }

  void mknod() { make_node(AT_FDCWD, 0, 1, 2); }
  void mknodat() { make_node(in_.integer(0), 1, 2, 3); }
  void make_node(int directory, std::size_t path, std::size_t mode, std::size_t device) {
    const auto given = static_cast<mode_t>(in_.word(mode));
    call_ = MakeNode{below(directory, path), given & (kPermissions | S_IFMT), static_cast<unsigned>(in_.word(device))};
  }

  void symlink() { make_symlink(AT_FDCWD, 0, 1); }
  void symlinkat() { make_symlink(in_.integer(1), 0, 2); }
  void make_symlink(int directory, std::size_t content, std::size_t path) {
    std::string text = in_.path(content);
    call_ = MakeSymlink{std::move(text), below(directory, path)};
  }

  void link() { call_ = Link{below(AT_FDCWD, 0, AT_SYMLINK_NOFOLLOW), below(AT_FDCWD, 1)}; }
  void linkat() {
    const unsigned flags = in_.flags(4);
    if ((flags & ~(AT_SYMLINK_FOLLOW | kernel::kAtEmptyPath)) != 0) return in_.fail(EINVAL);
    const unsigned follow = (flags & AT_SYMLINK_FOLLOW) != 0 ? 0 : AT_SYMLINK_NOFOLLOW;
    Target from = in_.path_at(in_.integer(0), 1, follow | (flags & kernel::kAtEmptyPath));
    call_ = Link{std::move(from), below(in_.integer(2), 3)};
  }

  void rename() { move(AT_FDCWD, 0, AT_FDCWD, 1, 0); }
  void renameat() { move(in_.integer(0), 1, in_.integer(2), 3, 0); }
  void renameat2() { move(in_.integer(0), 1, in_.integer(2), 3, in_.flags(4)); }
  void move(int from_directory, std::size_t from, int to_directory, std::size_t to, unsigned flags) {
    const unsigned known = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;
    const bool exchanges = (flags & RENAME_EXCHANGE) != 0;
    if ((flags & ~known) != 0 || (exchanges && flags != RENAME_EXCHANGE)) return in_.fail(EINVAL);
    Target source = below(from_directory, from, AT_SYMLINK_NOFOLLOW);
    call_ = Rename{std::move(source), below(to_directory, to, AT_SYMLINK_NOFOLLOW), flags};
  }

  void unlink() { call_ = Remove{below(AT_FDCWD, 0, AT_SYMLINK_NOFOLLOW), false}; }
  void rmdir() { call_ = Remove{below(AT_FDCWD, 0, AT_SYMLINK_NOFOLLOW), true}; }
  void unlinkat() {
    const unsigned flags = in_.flags(2);
    if ((flags & ~unsigned{AT_REMOVEDIR}) != 0) return in_.fail(EINVAL);
    call_ = Remove{below(in_.integer(0), 1, AT_SYMLINK_NOFOLLOW), flags != 0};
  }

  void truncate() {
    const auto size = static_cast<off_t>(in_.word(1));
    if (size < 0) return in_.fail(EINVAL);
    call_ = Truncate{below(AT_FDCWD, 0), size};
  }

  Target below(int directory, std::size_t path, unsigned flags = 0) { return in_.path_at(directory, path, flags); }
  mode_t permissions(std::size_t argument) { return static_cast<mode_t>(in_.word(argument)) & kPermissions; }

  CallReader in_;
  NameCall call_;
};

}  // namespace

std::variant<NameCall, int> decode_name_call(std::string_view name, const Arguments& arguments, const Memory& memory) {
  return Decoder(arguments, memory).decode(name);
}

}  // namespace nono::supervise
