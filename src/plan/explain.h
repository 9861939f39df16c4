// Explain: may the sandbox do this, and which grant says so? Pure.
//
// Answers what the kernel will do: every grant whose object is the path itself or one of its
// ancestors counts, by identity (device and inode), and their rights add up. A denial of the path or
// of one of its ancestors beats them, but for a grant inside it (denials.h). In two cases the kernel is stricter:
// in a mount view a file that is granted for writing by another of its names (a hard link) stays read-only by this
// one; in a strict view names that lie in no grant are not there, whatever they name outside. Of a granted pattern the
// place must have a matching name as well; directories on the way to such names can be read, which lists them.
#pragma once

#include <string>
#include <vector>

#include "capability/ancestry.h"
#include "capability/capability_set.h"

namespace nono::plan {

struct PathAnswer {
  enum class Reason { kGrantedPath, kInsufficientAccess, kPathNotGranted, kDeniedPath };
  Reason reason = Reason::kPathNotGranted;
  std::string granted_path;  // kGrantedPath: the grant, or "R (read) + W (write)"
  std::string access;        // kGrantedPath: its mode. kInsufficientAccess: what is granted
  std::string requested;
  std::string denied_path;   // kDeniedPath: the denial, as Denial::resolved
  std::string protected_by;  // kDeniedPath: the protected name that it belongs to; empty: the user's own
  std::string beats_denial;  // kGrantedPath: the denial that does not hold here, for the grant lies inside it
  [[nodiscard]] bool allowed() const { return reason == Reason::kGrantedPath; }
};

[[nodiscard]] PathAnswer explain_path(const std::vector<capability::FsCapability>& grants,
                                      const capability::DenialList& denials,
                                      const capability::Ancestry& ancestry,
                                      capability::AccessMode mode);

}  // namespace nono::plan
