#include "plan/explain.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "plan/denials.h"

namespace nono::plan {
namespace {

using capability::AccessMode;
using capability::FsCapability;

// A grant at the place that is asked about, and what it gives there.
struct Cover {
  const FsCapability* grant;
  AccessMode access;
};

bool is_within(const FsCapability& grant, const capability::Ancestry& ancestry) {
  return std::ranges::any_of(ancestry.self_and_up, [&](const kernel::Identity& object) {
    return kernel::same_object(object, grant.handle->identity);
  });
}

std::optional<Cover> cover_of(const FsCapability& grant, const capability::Ancestry& ancestry) {
  if (!is_within(grant, ancestry)) return std::nullopt;
  if (!grant.pattern || grant.covers(ancestry.canonical)) return Cover{&grant, grant.access};
  const bool is_directory = ancestry.exists && S_ISDIR(ancestry.self_and_up.front().mode);
  if (!is_directory || !reads(grant.access) || !grant.may_hold(ancestry.canonical)) return std::nullopt;
  return Cover{&grant, AccessMode::kRead};
}

bool suffices(AccessMode granted, AccessMode wanted) {
  return (!reads(wanted) || reads(granted)) && (!writes(wanted) || writes(granted));
}

// Of those that pass, the longest path; the later one on a tie.
template <class Passes>
const Cover* longest(const std::vector<Cover>& covers, Passes passes) {
  const Cover* best = nullptr;
  for (const Cover& cover : covers) {
    if (!passes(cover.access)) continue;
    if (best == nullptr || cover.grant->resolved.size() >= best->grant->resolved.size()) best = &cover;
  }
  return best;
}

// Asks for each use of `mode`.
template <class Ask>
const capability::Denial* denial_for(Ask ask, const std::vector<FsCapability>& grants,
                                     const capability::DenialList& denials, const capability::Ancestry& ancestry, AccessMode mode) {
  const Object object = ancestry.exists ? Object(ancestry.self_and_up.front()) : std::nullopt;
  const auto ask_for = [&](Use use) { return ask(grants, denials, ancestry.canonical, object, use); };
  const capability::Denial* found = reads(mode) ? ask_for(Use::kRead) : nullptr;
  return found == nullptr && writes(mode) ? ask_for(Use::kChange) : found;
}

}  // namespace

PathAnswer explain_path(const std::vector<FsCapability>& grants,
                        const capability::DenialList& denials,
                        const capability::Ancestry& ancestry, AccessMode mode) {
  std::vector<Cover> covering;
  for (const auto& grant : grants) {
    if (const auto cover = cover_of(grant, ancestry)) covering.push_back(*cover);
  }
  PathAnswer answer;
  answer.requested = to_string(mode);
  if (covering.empty()) return answer;
  if (const auto* denial = denial_for(denial_of, grants, denials, ancestry, mode)) {
    answer.reason = PathAnswer::Reason::kDeniedPath;
    answer.denied_path = denial->resolved;
    answer.protected_by = denial->protected_by;
    return answer;
  }
  const auto* beaten = denial_for(beaten_denial, grants, denials, ancestry, mode);
  if (beaten != nullptr) answer.beats_denial = beaten->resolved;
  if (const auto* alone = longest(covering, [&](AccessMode access) { return suffices(access, mode); })) {
    answer.reason = PathAnswer::Reason::kGrantedPath;
    answer.granted_path = alone->grant->name();
    answer.access = to_string(alone->access);
    return answer;
  }
  const auto* reader = longest(covering, [](AccessMode access) { return reads(access); });
  const auto* writer = longest(covering, [](AccessMode access) { return writes(access); });
  if (reader != nullptr && writer != nullptr) {
    answer.reason = PathAnswer::Reason::kGrantedPath;
    answer.granted_path = cat(reader->grant->name(), " (read) + ", writer->grant->name(), " (write)");
    answer.access = to_string(AccessMode::kReadWrite);
    return answer;
  }
  answer.beats_denial.clear();
  if (const auto* any = longest(covering, [](AccessMode) { return true; })) {
    answer.reason = PathAnswer::Reason::kInsufficientAccess;
    answer.access = to_string(any->access);
  }
  return answer;
}

}  // namespace nono::plan
