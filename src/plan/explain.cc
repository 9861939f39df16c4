#include "plan/explain.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"
#include "plan/denials.h"

namespace nono::plan {
namespace {

using capability::AccessMode;
using capability::FsCapability;

bool covers(const FsCapability& grant, const capability::Ancestry& ancestry) {
  return std::ranges::any_of(ancestry.self_and_up, [&](const kernel::Identity& object) {
    return kernel::same_object(object, grant.handle->identity);
  });
}

bool suffices(AccessMode granted, AccessMode wanted) {
  return (!reads(wanted) || reads(granted)) && (!writes(wanted) || writes(granted));
}

// Of those that pass, the longest path; the later one on a tie.
template <class Passes>
const FsCapability* longest(const std::vector<const FsCapability*>& grants, Passes passes) {
  const FsCapability* best = nullptr;
  for (const FsCapability* grant : grants) {
    if (!passes(*grant)) continue;
    if (best == nullptr || grant->resolved.size() >= best->resolved.size()) best = grant;
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
  std::vector<const FsCapability*> covering;
  for (const auto& grant : grants) {
    if (covers(grant, ancestry)) covering.push_back(&grant);
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
  if (const auto* alone = longest(covering, [&](const auto& g) { return suffices(g.access, mode); })) {
    answer.reason = PathAnswer::Reason::kGrantedPath;
    answer.granted_path = alone->resolved;
    answer.access = to_string(alone->access);
    return answer;
  }
  const auto* reader = longest(covering, [](const auto& g) { return reads(g.access); });
  const auto* writer = longest(covering, [](const auto& g) { return writes(g.access); });
  if (reader != nullptr && writer != nullptr) {
    answer.reason = PathAnswer::Reason::kGrantedPath;
    answer.granted_path = cat(reader->resolved, " (read) + ", writer->resolved, " (write)");
    answer.access = to_string(AccessMode::kReadWrite);
    return answer;
  }
  answer.beats_denial.clear();
  if (const auto* any = longest(covering, [](const auto&) { return true; })) {
    answer.reason = PathAnswer::Reason::kInsufficientAccess;
    answer.access = to_string(any->access);
  }
  return answer;
}

}  // namespace nono::plan
