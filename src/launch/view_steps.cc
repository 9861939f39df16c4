#include "launch/view_steps.h"

#include <sys/stat.h>

#include <map>

namespace nono::launch {
namespace {

using Kind = kernel::ViewStep::Kind;

struct Bound {
  const ViewGrant* grant = nullptr;
  bool writable = false;
  bool in_grant = false;
};
// A directory comes before what is in it.
using BoundAt = std::map<std::string_view, Bound>;

std::string_view parent_of(std::string_view path) { return path.substr(0, path.rfind('/')); }

const Bound* around(const BoundAt& bound, std::string_view path) {
  for (std::string_view at = parent_of(path); !at.empty(); at = parent_of(at)) {
    if (const auto found = bound.find(at); found != bound.end()) return &found->second;
  }
  return nullptr;
}

// A device may be written to on a read-only mount, and stays as it is there.
bool takes_writable_mount(const ViewGrant& grant) {
  return grant.writable && !S_ISCHR(grant.identity.mode) && !S_ISBLK(grant.identity.mode);
}

BoundAt to_be_bound(const std::vector<ViewGrant>& grants) {
  BoundAt bound;
  for (const ViewGrant& grant : grants) {
    Bound& at = bound[grant.path];
    at.grant = &grant;
    at.writable = at.writable || takes_writable_mount(grant);
  }
  for (auto at = bound.begin(); at != bound.end();) {
    const Bound* outer = around(bound, at->first);
    at->second.in_grant = outer != nullptr;
    const bool shows_no_more = outer != nullptr && (outer->writable || !at->second.writable);
    at = shows_no_more ? bound.erase(at) : std::next(at);
  }
  return bound;
}

kernel::ViewStep step(Kind kind, const std::string& path) {
  kernel::ViewStep made;
  made.kind = kind;
  made.entry.path = path.c_str();
  return made;
}

}  // namespace

void ViewSteps::lead_to(std::string_view path) {
  for (std::string_view at = parent_of(path); !at.empty(); at = parent_of(at)) {
    if (!directories_.emplace(at).second) return;
  }
}

ViewSteps::ViewSteps(const std::vector<ViewGrant>& grants, const std::vector<capability::Link>& links) {
  const BoundAt bound = to_be_bound(grants);
  for (const auto& [path, what] : bound) {
    if (!what.in_grant) lead_to(path);
  }
  std::map<std::string_view, const capability::Link*> links_at;
  for (const capability::Link& link : links) {
    if (bound.contains(link.path) || around(bound, link.path) != nullptr) continue;
    if (capability::is_within_folded("/proc", link.path)) continue;
    links_at.emplace(link.path, &link);
    lead_to(link.path);
  }

  for (const std::string& path : directories_) list_.push_back(step(Kind::kDirectory, path));
  for (const auto& [path, what] : bound) {
    const ViewGrant& grant = *what.grant;
    if (!what.in_grant) list_.push_back(step(S_ISDIR(grant.identity.mode) ? Kind::kDirectory : Kind::kFile, grant.path));
    kernel::ViewStep bind = step(what.writable ? Kind::kBindWritable : Kind::kBind, grant.path);
    bind.entry.device = grant.identity.device;
    bind.entry.inode = grant.identity.inode;
    bind.in_grant = what.in_grant;
    list_.push_back(bind);
  }
  for (const auto& [path, link] : links_at) {
    if (directories_.contains(path)) continue;
    list_.push_back(step(Kind::kLink, link->path));
    list_.back().target = link->target.c_str();
  }
}

}  // namespace nono::launch
