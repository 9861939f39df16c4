#include "plan/denials.h"

#include <algorithm>

#include "base/text.h"

namespace nono::plan {
namespace {

using capability::Denial;
using capability::FsCapability;
using capability::is_within_folded;

tl::unexpected<Error> refuse(const Denial& denial, std::string_view why, std::string hint) {
  return fail(ErrorKind::kSandboxInit,
              cat("Sandbox initialization failed: the denial of ", escape(denial.resolved), why),
              std::move(hint));
}

Status check(const Denial& denial, const capability::CapabilitySet& set) {
  if (denial.resolved == "/") return refuse(denial, " leaves nothing to run in", "Deny something below it.");
  if (is_within_folded("/proc", denial.resolved)) {
    return refuse(denial, " cannot be enforced: each sandbox has a /proc of its own",
                  "Leave /proc out of the grants instead.");
  }
  for (const FsCapability& grant : set.fs()) {
    if (grant.resolved == denial.resolved || !denial.covers(grant.resolved)) continue;
    return refuse(denial, cat(" cannot be enforced: the grant ", escape(grant.resolved), " lies inside it"),
                  "Deny the other entries of that directory one by one.");
  }
  return {};
}

std::string parent_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)); }

// The directories between the outermost writable grant and the denied path. A directory above it
// cannot be renamed from inside, and the grant itself is a mount in any case.
void pin(const std::string& path, const capability::CapabilitySet& set, std::vector<std::string>& pinned) {
  const FsCapability* outermost = nullptr;
  for (const FsCapability& grant : set.fs()) {
    if (!writes(grant.access) || grant.is_file || !grant.covers(path)) continue;
    if (outermost == nullptr || grant.resolved.size() < outermost->resolved.size()) outermost = &grant;
  }
  if (outermost == nullptr) return;
  for (std::string at = parent_of(path); at.size() > outermost->resolved.size(); at = parent_of(at)) {
    pinned.push_back(at);
  }
}

template <class Before>
void sort_unique(std::vector<std::string>& list, Before before) {
  std::ranges::sort(list, before);
  const auto repeated = std::ranges::unique(list);
  list.erase(repeated.begin(), repeated.end());
}

// Length of the longest grant for this use that covers `place`.
std::size_t granted_length(const std::vector<FsCapability>& grants, const std::string& place, Use use) {
  std::size_t length = 0;
  for (const FsCapability& grant : grants) {
    const bool suffices = use == Use::kRead ? reads(grant.access) : writes(grant.access);
    if (suffices && grant.resolved.size() > length && grant.covers(place)) length = grant.resolved.size();
  }
  return length;
}

bool concerns(const Denial& denial, Use use) {
  return use == Use::kChange || denial.closes == capability::Closes::kAll;
}

// A grant of up to this length does not beat the denial.
std::size_t powerless(const Denial& denial, std::size_t granted) {
  const bool named = denial.is_pattern() || !denial.protected_by.empty();
  return named || granted == 0 ? granted : granted - 1;
}

}  // namespace

const Denial* denial_of(const std::vector<FsCapability>& grants, const capability::DenialList& denials,
                        const std::string& place, Use use, const std::function<bool(const Denial&)>& holds) {
  if (denials.empty()) return nullptr;
  const std::size_t granted = granted_length(grants, place, use);
  const capability::PathNames names(place);
  for (const Denial& denial : denials) {
    const bool matches = concerns(denial, use) && denial.names.match(names, powerless(denial, granted));
    if (matches && holds(denial)) return &denial;
  }
  return nullptr;
}

const Denial* beaten_denial(const std::vector<FsCapability>& grants, const capability::DenialList& denials,
                            const std::string& place, Use use) {
  if (denial_of(grants, denials, place, use) != nullptr) return nullptr;
  const capability::PathNames names(place);
  const auto found = std::ranges::find_if(
      denials, [&](const Denial& denial) { return concerns(denial, use) && denial.names.match(names); });
  return found == denials.end() ? nullptr : &*found;
}

const Denial* pinned_by(const capability::DenialList& denials, const std::string& place) {
  const capability::PathNames names(place);
  const auto found =
      std::ranges::find_if(denials, [&](const Denial& denial) { return denial.names.leads_to(names); });
  return found == denials.end() ? nullptr : &*found;
}

Result<Covers> covers_for(const capability::CapabilitySet& set) {
  Covers found;
  for (const Denial& denial : set.denials()) {
    const bool granted =
        std::ranges::any_of(set.fs(), [&](const FsCapability& grant) { return grant.covers(denial.resolved); });
    if (!granted) continue;
    if (Status ok = check(denial, set); !ok) return tl::unexpected(ok.error());
    found.covered.push_back(denial.resolved);
  }
  const auto outer_first = [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  };
  sort_unique(found.covered, outer_first);
  // What lies below a covered directory is gone with it.
  std::vector<std::string> needed;
  for (const std::string& path : found.covered) {
    const auto hides = [&](const std::string& other) { return is_within_folded(other, path); };
    if (std::ranges::none_of(needed, hides)) needed.push_back(path);
  }
  found.covered = std::move(needed);
  for (const std::string& path : found.covered) pin(path, set, found.pinned);
  sort_unique(found.pinned, outer_first);
  return found;
}

}  // namespace nono::plan
