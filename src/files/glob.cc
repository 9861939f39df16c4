#include "files/glob.h"

namespace nono::files {
namespace {

// As Deep Agents' own.
constexpr std::chrono::seconds kTime{5};
constexpr std::size_t kMostMatches = 10'000;

}  // namespace

Expected<Globbed> glob(Crew& crew, Reach& reach, const std::string& path, const GlobQuery& query, const Cancelled& cancelled) {
  const auto root = reach.open_directory(path);
  if (!root) return tl::unexpected(root.error());
  const auto pattern = PathGlob::of(query.pattern, query.depth);
  if (!pattern) return tl::unexpected(pattern.error());
  const Wanted wanted{.pattern = &*pattern, .directories = query.kinds == Kinds::kAll, .links = true, .status = true};
  Walked walked = walk(crew, reach, *root, wanted, Budget(kTime, cancelled));
  Globbed result{std::move(walked.found), Incomplete::kNo};
  if (walked.is_unreadable) result.incomplete = Incomplete::kUnreadable;
  if (walked.is_cut || result.matches.size() > kMostMatches) result.incomplete = Incomplete::kBudget;
  if (result.matches.size() > kMostMatches) result.matches.resize(kMostMatches);
  return result;
}

}  // namespace nono::files
