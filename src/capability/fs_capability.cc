#include "capability/fs_capability.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "capability/open_grant.h"

namespace nono::capability {
namespace {

bool is_object(const kernel::Identity& held, const struct stat& named) {
  return held.device == named.st_dev && held.inode == named.st_ino &&
         (held.mode & S_IFMT) == (named.st_mode & S_IFMT);
}

tl::unexpected<Error> gone(const FsCapability& grant, int error_number) {
  return fail(ErrorKind::kSandboxInit,
              cat("Sandbox initialization failed: Cannot open Landlock rule path ",
                  escape(grant.resolved), ": ", os_error(error_number)),
              "It could be opened when it was granted. Put it back, or build a new capability set "
              "without it.");
}

tl::unexpected<Error> replaced(const FsCapability& grant) {
  return fail(ErrorKind::kSandboxInit,
              cat("Sandbox initialization failed: granted path ", escape(grant.resolved),
                  " is no longer what was granted (it was replaced since); refusing to follow it"),
              "Find out who replaced it. If the change is wanted, grant the path again in a new "
              "capability set.");
}

}  // namespace

std::string CapabilitySource::to_string() const {
  switch (kind_) {
    case Kind::kUser: return "user";
    case Kind::kProfile: return "profile";
    case Kind::kGroup: return cat("group:", name_);
    case Kind::kSystem: return "system";
  }
  return {};
}

Result<FsCapability> FsCapability::directory(const std::string& path, AccessMode access,
                                             CapabilitySource source) {
  return open_grant(path, access, std::move(source), GrantType::kDirectory);
}

Result<FsCapability> FsCapability::file(const std::string& path, AccessMode access,
                                        CapabilitySource source) {
  return open_grant(path, access, std::move(source), GrantType::kFile);
}

Result<FsCapability> FsCapability::matching(const std::string& text, AccessMode access, CapabilitySource source) {
  auto names = NamePattern::parse(text, Case::kCounts);
  if (!names) return tl::unexpected<Error>(std::move(names).error());
  if (names->base() == "/") {
    return fail(ErrorKind::kInvalidArgument, cat("Invalid pattern ", escape(text), ": it begins with no directory"),
                "A grant is about one: write it in front, as in /data/**/*.csv.");
  }
  FsCapability grant = NONO_TRY(open_grant(names->base(), access, std::move(source), GrantType::kDirectory));
  if (grant.resolved != names->base()) return tl::unexpected<Error>(resolution_error(text, ELOOP));  // replaced meanwhile
  grant.original = text;
  if (!names->is_literal()) grant.pattern = *std::move(names);
  return grant;
}

std::string FsCapability::to_string() const {
  return cat(escape(name()), " (", capability::to_string(access), ")");
}

Status check_unchanged(const FsCapability& grant) {
  struct stat named {};
  if (::fstatat(AT_FDCWD, grant.resolved.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    return gone(grant, errno);
  }
  if (!grant.handle) return replaced(grant);  // never opened: nothing it could still be
  // The handle pins its inode, so an equal number cannot be a recycled one.
  if (is_object(grant.handle->identity, named)) return {};
  // On overlayfs the numbers of a lower file change when it is first written to (copy-up). Then
  // the handle has the new ones too; it decides, as always.
  struct stat held {};
  if (::fstat(grant.handle->fd.get(), &held) == 0 && held.st_dev == named.st_dev &&
      held.st_ino == named.st_ino && (held.st_mode & S_IFMT) == (named.st_mode & S_IFMT)) {
    return {};
  }
  return replaced(grant);
}

}  // namespace nono::capability
