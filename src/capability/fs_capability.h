// FsCapability: one granted file or directory, or what a pattern matches below one, held as a descriptor from the
// moment it is given.
//
// Value: copies share the descriptor, which is never written to and closes with the last copy.
// The path strings are for people; enforcement uses `handle`. An attacker who can rename or relink
// the path later changes what the string names, never what the handle is; `check_unchanged`
// notices and names the grant.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "capability/access_mode.h"
#include "capability/name_pattern.h"
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
  std::string resolved;  // canonical, absolute; of a pattern the directory that it is about
  AccessMode access = AccessMode::kRead;
  bool is_file = false;  // anything but a directory
  CapabilitySource source = CapabilitySource::user();
  std::vector<Link> links;  // that `original` led through when it was given
  std::shared_ptr<const GrantHandle> handle;
  std::optional<NamePattern> pattern = {};  // of the names below a directory that are granted; none: all are

  // Errors: kPathNotFound, kExpectedDirectory / kExpectedFile, kPathResolution; kIo when the
  // process has no descriptor or memory left.
  [[nodiscard]] static Result<FsCapability> directory(const std::string& path, AccessMode access,
                                                      CapabilitySource source);
  [[nodiscard]] static Result<FsCapability> file(const std::string& path, AccessMode access,
                                                 CapabilitySource source);
  // What has a matching name, and all below it, whenever it is made. The directory that the pattern begins with must
  // exist. And kInvalidArgument: it begins with none, or can match nothing.
  [[nodiscard]] static Result<FsCapability> matching(const std::string& pattern, AccessMode access,
                                                     CapabilitySource source);

  [[nodiscard]] std::string name() const { return pattern ? pattern->to_string() : resolved; }  // canonical, for people
  [[nodiscard]] std::string to_string() const;  // "<name> (read)"

  // By name: is `folded` (as canonical paths are) granted?
  [[nodiscard]] bool covers(std::string_view folded) const {
    return reaches(folded) && (!pattern || pattern->match(PathNames(folded)));
  }
  // Could what a pattern matches lie below it? Such a directory can be listed.
  [[nodiscard]] bool may_hold(std::string_view folded) const {
    return pattern && reaches(folded) && pattern->may_hold(PathNames(folded));
  }
  // Is it the granted object or below it? Landlock, which knows no names, opens all that a pattern could be about.
  [[nodiscard]] bool reaches(std::string_view folded) const {
    return is_file ? folded == resolved : is_within_folded(resolved, folded);
  }
};

// Does `resolved` still name the object that was granted? One system call when it does; meant for
// every command. kSandboxInit, naming the grant, when the path is gone or names something else.
[[nodiscard]] Status check_unchanged(const FsCapability& grant);

}  // namespace nono::capability
