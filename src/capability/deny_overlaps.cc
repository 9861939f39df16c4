// Which deny paths Landlock could not enforce: it knows no deny, so a path is denied only as long
// as no grant covers it.
#include <set>
#include <utility>

#include "base/text.h"
#include "capability/policy_groups.h"

namespace nono::capability {
namespace {

std::string overlap(const std::string& denied, const FsCapability& grant) {
  return cat("deny '", escape(denied), "' overlaps allowed parent '", escape(grant.resolved),
             "' (source: ", escape(grant.source.to_string()), ")");
}

}  // namespace

Status validate_deny_overlaps(const std::vector<std::string>& deny_paths, const CapabilitySet& set) {
  std::set<std::string> lines;
  for (const std::string& path : deny_paths) {
    // Grants are canonical; a deny that goes through a link must not slip past them.
    const std::string canonical = canonicalize_existing_part(path);
    const std::string folded = path.starts_with('/') ? fold(path) : canonical;
    for (const FsCapability& grant : set.fs()) {
      if (grant.covers(folded)) lines.insert(overlap(path, grant));
      else if (grant.covers(canonical)) lines.insert(overlap(canonical, grant));
    }
  }
  if (lines.empty()) return {};
  return fail(ErrorKind::kSandboxInit,
              cat("Sandbox initialization failed: Landlock deny-overlap is not enforceable on Linux. "
                  "Refusing to start with conflicting policy.\n", join(lines, "\n")),
              "Grant narrower paths that leave the denied one out, or drop the deny rule.");
}

}  // namespace nono::capability
