#include "supervise/denied_names.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "capability/ancestry.h"
#include "capability/path_resolution.h"
#include "plan/explain.h"

namespace nono::supervise {
namespace {

// What is at `place` and the directories above it, deepest first, but for the root.
std::vector<kernel::Identity> self_and_up(std::string place) {
  std::vector<kernel::Identity> found;
  for (; place.size() > 1; place = capability::parent_of(place)) {
    struct stat st {};
    if (::lstat(place.c_str(), &st) == 0) found.push_back({st.st_dev, st.st_ino, st.st_mode});
  }
  return found;
}

}  // namespace

DeniedNames::DeniedNames(const plan::Plan& plan) : DeniedNames(plan.grants, plan.denials) {}

DeniedNames::DeniedNames(capability::GrantList grants, capability::DenialList denials)
    : grants_(std::move(grants)), denials_(std::move(denials)) {
  are_ascii_ = std::all_of(denials_.begin(), denials_.end(), [](const capability::Denial& denial) { return denial.names.is_ascii(); });
  has_patterns_ = std::ranges::any_of(grants_, [](const capability::FsCapability& grant) { return grant.pattern.has_value(); });
  const auto closes_all = [](const capability::Denial& denial) { return denial.closes == capability::Closes::kAll; };
  reads_freely_ = !has_patterns_ && std::none_of(denials_.begin(), denials_.end(), closes_all);
}

int DeniedNames::check(const std::string& place, const std::optional<kernel::Identity>& object, plan::Use use) const {
  if (use == plan::Use::kRead && reads_freely_) return 0;
  const auto holds = [&](const capability::Denial& denial) {
    return !denial.unless_made || !is_inside_own(denial, place);
  };
  const bool is_denied = plan::holding_denial(grants_, denials_, place, object, use, holds) != nullptr;
  return is_denied || is_other_name(place, object, use) || is_left_out(place, object, use) ? EACCES : 0;
}

// Landlock opens all of a granted pattern's directory.
bool DeniedNames::is_left_out(const std::string& place, const std::optional<kernel::Identity>& object, plan::Use use) const {
  if (!has_patterns_) return false;
  const auto mode = use == plan::Use::kRead ? capability::AccessMode::kRead : capability::AccessMode::kWrite;
  const auto is_given_by = [&](const capability::FsCapability& grant) { return plan::gives(grant.access, use) && grant.covers(place); };
  if (std::ranges::any_of(grants_, is_given_by)) return false;
  const auto ancestry = capability::ancestry_of(place);
  const bool is_it = ancestry.canonical == place && (!object || (ancestry.exists && same_object(ancestry.self_and_up.front(), *object)));
  return !is_it || !plan::explain_path(grants_, {}, ancestry, mode).allowed();
}

bool DeniedNames::opens(const std::string& from, const std::string& to, const std::optional<kernel::Identity>& object) const {
  if (!has_patterns_ || check(from, object, plan::Use::kRead) == 0) return false;
  const bool is_directory = object && S_ISDIR(object->mode);
  return std::ranges::any_of(grants_, [&](const capability::FsCapability& grant) {
    return reads(grant.access) && (grant.covers(to) || (is_directory && grant.may_hold(to)));
  });
}

bool DeniedNames::is_inside_own(const capability::Denial& denial, const std::string& place) const {
  const auto match = denial.match(place);
  if (!match) return false;
  for (std::size_t end = match->first; end < match->last; end = std::min(place.find('/', end + 1), match->last)) {
    if (made_.contains(key_of(AT_FDCWD, place.substr(0, end)))) return true;
  }
  return false;
}

// A literal's object, or what lies below it, reached by a hard link or another mount.
bool DeniedNames::is_other_name(const std::string& place, const std::optional<kernel::Identity>& object,
                                plan::Use use) const {
  std::optional<std::vector<kernel::Identity>> way;  // a system call for each name: asked once for all denials
  for (const capability::Denial& denial : denials_) {
    if (!denial.object || (denial.closes == capability::Closes::kChanges && use == plan::Use::kRead)) continue;
    if (denial.covers(place)) continue;  // judged by its name
    if (!S_ISDIR(denial.object->mode)) {
      if (object && same_object(*object, *denial.object)) return true;
      continue;
    }
    if (!way) way = self_and_up(place);
    for (const kernel::Identity& identity : *way) {
      const auto is_granted_inside = [&](const capability::FsCapability& grant) {
        return same_object(grant.handle->identity, identity) && denial.covers(grant.resolved) &&
               grant.resolved.size() > denial.resolved.size();
      };
      if (std::ranges::any_of(grants_, is_granted_inside)) break;
      if (same_object(identity, *denial.object)) return true;
    }
  }
  return false;
}

bool DeniedNames::is_pinned(const std::string& place) const {
  return plan::pinned_by(denials_, place) != nullptr;
}

bool DeniedNames::is_border(const std::string& from, const std::string& to) const {
  return std::ranges::any_of(denials_, [&](const capability::Denial& denial) {
    return denial.is_pattern() && capability::is_within_any_case(denial.base(), from) !=
                                      capability::is_within_any_case(denial.base(), to);
  });
}

void DeniedNames::note_made(const std::string& place, const std::optional<ObjectKey>& directory) {
  const auto asks = [&](const capability::Denial& denial) { return denial.unless_made && denial.leads_to(place); };
  if (std::ranges::any_of(denials_, asks)) made_.add(directory);
}

}  // namespace nono::supervise
