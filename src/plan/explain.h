// Explain: may the sandbox do this, and which grant says so? Pure.
//
// Answers what the kernel will do: every grant whose object is the path itself or one of its
// ancestors counts, by identity (device and inode), and their rights add up.
#pragma once

#include <string>
#include <vector>

#include "capability/ancestry.h"
#include "capability/capability_set.h"

namespace nono::plan {

struct PathAnswer {
  enum class Reason { kGrantedPath, kInsufficientAccess, kPathNotGranted };
  Reason reason = Reason::kPathNotGranted;
  std::string granted_path;  // kGrantedPath: the grant, or "R (read) + W (write)"
  std::string access;        // kGrantedPath: its mode. kInsufficientAccess: what is granted
  std::string requested;
  [[nodiscard]] bool allowed() const { return reason == Reason::kGrantedPath; }
};

[[nodiscard]] PathAnswer explain_path(const std::vector<capability::FsCapability>& grants,
                                      const capability::Ancestry& ancestry,
                                      capability::AccessMode mode);

}  // namespace nono::plan
