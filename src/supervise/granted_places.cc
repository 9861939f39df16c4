#include "supervise/granted_places.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "capability/fs_capability.h"
#include "kernel/fd_table.h"

namespace nono::supervise {
namespace {

// File systems that never wait for another machine or process.
bool is_local(const Fd& object) {
  constexpr std::array<unsigned long, 8> kLocal{EXT4_SUPER_MAGIC,  XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
                                                TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC, SQUASHFS_MAGIC, RAMFS_MAGIC};
  struct statfs about {};
  return ::fstatfs(object.get(), &about) == 0 &&
         std::ranges::find(kLocal, static_cast<unsigned long>(about.f_type)) != kLocal.end();
}

bool suffices(capability::AccessMode access, int flags) {
  const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_ACCMODE) != O_RDONLY;
  return ((flags & O_ACCMODE) == O_WRONLY || reads(access)) && (!changes || writes(access));
}

// Can the command make something else of this link, or of a directory on the way to it?
bool may_change(const capability::GrantList& grants, const std::string& link) {
  return std::ranges::any_of(grants, [&](const capability::FsCapability& grant) {
    return writes(grant.access) && !grant.is_file && grant.covers(link);
  });
}

// The directory that a relative path begins in. None where it has no path now.
std::optional<std::string> directory_of(int thread, int number) {
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlink(link_in_table(thread, number).c_str(), text.data(), text.size());
  if (size <= 0 || text[0] != '/') return std::nullopt;
  const std::string_view directory(text.data(), static_cast<std::size_t>(size));
  if (directory.ends_with(" (deleted)")) return std::nullopt;
  return std::string(directory);
}

}  // namespace

GrantedPlaces::GrantedPlaces(const capability::GrantList& grants, int thread) {
  const std::string root = cat("/proc/", thread, "/root");
  root_ = Fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const auto& grant : grants) {
    if (grant.pattern) continue;
    Fd object(::open(cat(root, grant.resolved).c_str(), O_PATH | O_CLOEXEC));
    if (!object.valid() || !is_local(object)) continue;
    const auto identity = kernel::fstat(object);
    if (!identity || !same_object(*identity, grant.handle->identity)) continue;
    auto held = std::make_shared<const Fd>(std::move(object));
    // Programs say /lib where /usr/lib is granted. Not where the command could give that name to something else.
    const std::string said = capability::fold(grant.original);
    if (!grant.is_file && said != grant.resolved && said.starts_with('/') && !may_change(grants, said)) {
      places_.push_back({said, grant.resolved, grant.access, false, held});
    }
    places_.push_back({grant.resolved, grant.resolved, grant.access, grant.is_file, std::move(held)});
  }
  std::ranges::stable_sort(places_, [](const Place& a, const Place& b) { return a.name.size() > b.name.size(); });
}

// Or has its name become another file's?
bool GrantedPlaces::is_still_there(const Place& file) const {
  struct stat named {};
  if (::fstatat(root_.get(), file.resolved.c_str() + 1, &named, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const auto held = kernel::fstat(*file.object);
  return held && same_object(*held, {named.st_dev, named.st_ino, named.st_mode});
}

std::optional<Origin> GrantedPlaces::origin_of(int thread, const Open& call) const {
  // O_TMPFILE and whatever is new have an effect that nobody has thought about here.
  constexpr int kUsual = O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_DIRECTORY |
                         O_NOFOLLOW | 0100000;  // O_LARGEFILE, which the C library has as 0
  const bool is_usual = (call.flags & ~kUsual) == 0 && (call.flags & (O_CREAT | O_DIRECTORY)) != (O_CREAT | O_DIRECTORY);
  if (!is_usual || !call.target.path || call.target.resolve != 0) return std::nullopt;
  std::string joined;
  std::string_view path = *call.target.path;
  if (!path.starts_with('/')) {
    auto directory = directory_of(thread, call.target.directory);
    if (!directory) return std::nullopt;
    joined = cat(*directory == "/" ? "" : *directory, "/", path);
    if (joined.size() >= PATH_MAX) return std::nullopt;
    path = joined;
  }
  const auto place = std::ranges::find_if(places_, [&](const Place& candidate) { return candidate.holds(path); });
  if (place == places_.end() || !suffices(place->access, call.flags)) return std::nullopt;
  if (place->is_file) {
    // It is opened by another name than the call's, where O_NOFOLLOW would mean something else.
    if ((call.flags & O_NOFOLLOW) != 0 || !is_still_there(*place)) return std::nullopt;
    return Origin{.is_object = true, .root = Root::kGrant, .granted = place->object.get()};
  }
  path.remove_prefix(place->name == "/" ? 0 : place->name.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  Origin origin{.path = std::string(path.empty() ? "." : path), .root = Root::kGrant, .granted = place->object.get()};
  if (is_plain(path)) origin.place = cat(place->resolved == "/" ? "" : place->resolved, "/", path);
  return origin;
}

}  // namespace nono::supervise
