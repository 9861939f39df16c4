#include "plan/denials.h"

#include <algorithm>

#include "base/text.h"
#include "capability/plain_spelling.h"

namespace nono::plan {
namespace {

using capability::Closes;
using capability::Denial;
using capability::Found;
using capability::FsCapability;
using capability::is_within_any_case;
using capability::is_within_folded;
using capability::parent_of;

tl::unexpected<Error> refuse(const Denial& denial, std::string_view why, std::string hint) {
  return fail(ErrorKind::kSandboxInit,
              cat("Sandbox initialization failed: the denial of ", escape(denial.resolved), why),
              std::move(hint));
}

Status check(const Denial& denial) {
  if (denial.resolved == "/") return refuse(denial, " leaves nothing to run in", "Deny something below it.");
  if (is_within_folded("/proc", denial.base())) {
    return refuse(denial, " cannot be enforced: each sandbox has a /proc of its own",
                  "Leave /proc out of the grants instead.");
  }
  if (denial.found == Found::kLink && denial.protected_by.empty()) {
    return refuse(denial, " cannot be enforced: a symbolic link has taken its place", "Deny what it points to.");
  }
  return {};
}

bool fits_a_view(const Denial& denial, const std::vector<FsCapability>& grants) {
  if (denial.is_pattern() || denial.closes != Closes::kAll) return false;
  if (denial.found != Found::kNotAsked && denial.found != Found::kOneName) return false;
  return std::ranges::none_of(grants, [&](const FsCapability& grant) {
    return grant.resolved != denial.resolved && is_within_any_case(denial.resolved, grant.resolved);
  });
}

// The directories between the outermost writable grant and the denied path. A directory above it
// cannot be renamed from inside, and the grant itself is a mount in any case.
void pin(const std::string& path, const capability::CapabilitySet& set, std::vector<std::string>& pinned) {
  const FsCapability* outermost = nullptr;
  for (const FsCapability& grant : set.fs()) {
    if (!writes(grant.access) || grant.is_file || !grant.reaches(path)) continue;
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
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

// Length of the longest grant for this use that covers `place`.
std::size_t granted_length(const std::vector<FsCapability>& grants, const std::string& place, Use use) {
  std::size_t length = 0;
  for (const FsCapability& grant : grants) {
    if (gives(grant.access, use) && grant.resolved.size() > length && grant.covers(place)) length = grant.resolved.size();
  }
  return length;
}

bool concerns(const Denial& denial, Use use) {
  return use == Use::kChange || denial.closes == capability::Closes::kAll;
}

// Is the object a file that is granted by some name? Landlock, which knows no names, opens it by all of them.
bool is_granted_file(const std::vector<FsCapability>& grants, const Object& object) {
  return object && std::ranges::any_of(grants, [&](const FsCapability& grant) {
    return grant.is_file && same_object(grant.handle->identity, *object);
  });
}

// A grant of up to this length does not beat the denial.
std::size_t powerless(const Denial& denial, std::size_t granted) {
  const bool named = denial.is_pattern() || !denial.protected_by.empty();
  return named || granted == 0 ? granted : granted - 1;
}

// Does the denial take anything from a grant that covers this name and is not inside of it? If not, nobody may be asked about it.
bool is_about(const Denial& denial, const capability::Match& match, const std::vector<FsCapability>& grants,
              const std::string& place) {
  return std::ranges::any_of(grants, [&](const FsCapability& grant) {
    return (denial.closes == Closes::kAll || (!grant.is_file && writes(grant.access))) && grant.covers(place) &&
           powerless(denial, grant.resolved.size()) < match.last;
  });
}

}  // namespace

const Denial* denial_of(const std::vector<FsCapability>& grants, const capability::DenialList& denials,
                        const std::string& place, const Object& object, Use use) {
  return holding_denial(grants, denials, place, object, use, [](const Denial&) { return true; });
}

const Denial* holding_denial(const std::vector<FsCapability>& grants, const capability::DenialList& denials,
                             const std::string& place, const Object& object, Use use,
                             const std::function<bool(const Denial&)>& holds) {
  if (denials.empty()) return nullptr;
  if (const std::string plain = capability::plain_spelling(place); plain != place) {
    if (const Denial* denial = holding_denial(grants, denials, plain, object, use, holds)) return denial;
  }
  const std::size_t granted = granted_length(grants, place, use);
  const capability::PathNames names(place);
  for (const Denial& denial : denials) {
    if (!concerns(denial, use)) continue;
    const auto match = denial.names.match(names, powerless(denial, granted));
    if (match && (!is_granted_file(grants, object) || is_about(denial, *match, grants, place)) && holds(denial)) return &denial;
  }
  return nullptr;
}

const Denial* beaten_denial(const std::vector<FsCapability>& grants, const capability::DenialList& denials,
                            const std::string& place, const Object& object, Use use) {
  if (denial_of(grants, denials, place, object, use) != nullptr) return nullptr;
  const capability::PathNames names(place);
  const auto found = std::ranges::find_if(denials, [&](const Denial& denial) {
    const auto match = concerns(denial, use) ? denial.names.match(names) : std::nullopt;
    return match && is_about(denial, *match, grants, place);
  });
  return found == denials.end() ? nullptr : &*found;
}

const Denial* pinned_by(const capability::DenialList& denials, const std::string& place) {
  if (const std::string plain = capability::plain_spelling(place); plain != place && !denials.empty()) {
    if (const Denial* denial = pinned_by(denials, plain)) return denial;
  }
  const capability::PathNames names(place);
  const auto found =
      std::ranges::find_if(denials, [&](const Denial& denial) { return denial.names.leads_to(names); });
  return found == denials.end() ? nullptr : &*found;
}

bool matters(const Denial& denial, const std::vector<FsCapability>& grants) {
  const bool all = denial.closes == Closes::kAll;
  return std::ranges::any_of(grants, [&](const FsCapability& grant) {
    if (!all && (grant.is_file || !writes(grant.access))) return false;
    if (is_within_any_case(grant.resolved, denial.base())) {
      return !grant.is_file || (!denial.is_pattern() && grant.resolved.size() == denial.base().size());
    }
    return denial.is_pattern() && !grant.is_file && is_within_any_case(denial.base(), grant.resolved);
  });
}

bool can_cover(const capability::CapabilitySet& set) {
  return std::ranges::any_of(set.denials().own(), [&](const Denial& denial) {
    return fits_a_view(denial, set.fs()) && matters(denial, set.fs());
  });
}

Result<Enforcement> enforcement_of(const capability::CapabilitySet& set, bool with_view) {
  Enforcement found;
  const auto supervise = [&](const Denial& denial) {
    const bool all = denial.closes == Closes::kAll;
    if (all) found.names = Names::kAllAsked;
    if (found.names == Names::kFree) found.names = Names::kChangesAsked;
    const bool is_own = denial.protected_by.empty();
    if (found.supervised == nullptr || (is_own && !found.supervised->protected_by.empty())) found.supervised = &denial;
  };
  for (const Denial& denial : set.denials().own()) {
    if (!matters(denial, set.fs())) continue;
    if (Status ok = check(denial); !ok) return tl::unexpected(ok.error());
    if (with_view && fits_a_view(denial, set.fs())) {
      found.covers.covered.push_back(denial.resolved);
    } else {
      supervise(denial);
    }
  }
  for (const FsCapability& grant : set.fs()) {
    if (!grant.pattern) continue;
    found.pattern = &grant;
    if (reads(grant.access)) found.names = Names::kAllAsked;
    if (found.names == Names::kFree) found.names = Names::kChangesAsked;
  }
  // All of them are about changes: one that matters is enough to know.
  const auto& built_in = set.denials().built_in();
  const auto one = found.supervised != nullptr ? built_in.end() : std::ranges::find_if(built_in, [&](const Denial& denial) {
    return matters(denial, set.fs());
  });
  if (one != built_in.end()) supervise(*one);

  auto& covered = found.covers.covered;
  const auto outer_first = [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  };
  sort_unique(covered, outer_first);
  // What lies below a covered directory is gone with it.
  std::vector<std::string> needed;
  for (const std::string& path : covered) {
    const auto hides = [&](const std::string& other) { return is_within_folded(other, path); };
    if (std::ranges::none_of(needed, hides)) needed.push_back(path);
  }
  covered = std::move(needed);
  for (const std::string& path : covered) pin(path, set, found.covers.pinned);
  sort_unique(found.covers.pinned, outer_first);
  return found;
}

}  // namespace nono::plan
