// FsCapability: one granted file or directory, held as a descriptor from the moment it is given.
//
// Value: copies share the descriptor, which is never written to and closes with the last copy.
// The path strings are for people; enforcement uses `handle`. An attacker who can rename or relink
// the path later changes what the string names, never what the handle is; `check_unchanged`
// notices and names the grant.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "capability/access_mode.h"
#include "capability/path_resolution.h"
#include "kernel/fd_table.h"

namespace nono::capability {

// Who asked for a grant. User and profile count as the user's own intent.
class CapabilitySource {
 public:
  enum class Kind { kUser, kProfile, kGroup, kSystem };

  [[nodiscard]] static CapabilitySource user() { return CapabilitySource(Kind::kUser, {}); }
  [[nodiscard]] static CapabilitySource profile() { return CapabilitySource(Kind::kProfile, {}); }
  [[nodiscard]] static CapabilitySource system() { return CapabilitySource(Kind::kSystem, {}); }
  [[nodiscard]] static CapabilitySource group(std::string name) {
    return CapabilitySource(Kind::kGroup, std::move(name));
  }

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_user_intent() const { return kind_ == Kind::kUser || kind_ == Kind::kProfile; }
  [[nodiscard]] std::string to_string() const;  // "user", "profile", "group:NAME", "system"

 private:
  CapabilitySource(Kind kind, std::string name) : kind_(kind), name_(std::move(name)) {}
  Kind kind_;
  std::string name_;
};

// The held object: an O_PATH descriptor and what it was when it was opened.
struct GrantHandle {
  Fd fd;
  kernel::Identity identity;
};

struct FsCapability {
  std::string original;  // as the caller gave it
  std::string resolved;  // canonical, absolute
  AccessMode access = AccessMode::kRead;
  bool is_file = false;  // anything but a directory
  CapabilitySource source = CapabilitySource::user();
  std::vector<Link> links;  // that `original` led through when it was given
  std::shared_ptr<const GrantHandle> handle;

  // Errors: kPathNotFound, kExpectedDirectory / kExpectedFile, kPathResolution; kIo when the
  // process has no descriptor or memory left.
  [[nodiscard]] static Result<FsCapability> directory(const std::string& path, AccessMode access,
                                                      CapabilitySource source);
  [[nodiscard]] static Result<FsCapability> file(const std::string& path, AccessMode access,
                                                 CapabilitySource source);

  [[nodiscard]] std::string to_string() const;  // "<resolved> (read)"

  // By name: is `folded` (as canonical paths are) the grant, or below a granted directory?
  [[nodiscard]] bool covers(std::string_view folded) const {
    return is_file ? folded == resolved : is_within_folded(resolved, folded);
  }
};

// Does `resolved` still name the object that was granted? One system call when it does; meant for
// every command. kSandboxInit, naming the grant, when the path is gone or names something else.
[[nodiscard]] Status check_unchanged(const FsCapability& grant);

}  // namespace nono::capability
