// CapabilitySet::deduplicate: which of several grants of one path stays, and with what access.
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "capability/capability_set.h"

namespace nono::capability {
namespace {

bool same_class(const FsCapability& a, const FsCapability& b) {
  return a.source.is_user_intent() == b.source.is_user_intent();
}

// Equal `resolved` says that two grants had one name, not that they are one object: the path may
// have been replaced in between.
bool same_object(const FsCapability& a, const FsCapability& b) {
  if (!a.handle || !b.handle) return a.handle == b.handle;
  return kernel::same_object(a.handle->identity, b.handle->identity);
}

bool later_wins(const FsCapability& earlier, const FsCapability& later) {
  if (!same_class(earlier, later)) return later.source.is_user_intent();
  if (!same_object(earlier, later)) return true;
  return later.access == AccessMode::kReadWrite && earlier.access != AccessMode::kReadWrite;
}

// Spellings that mean another object in every process: of no use to whoever reads the grant later.
bool names_own_process(const std::string& path) {
  for (const std::string_view alias : {"/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr",
                                       "/proc/self", "/proc/thread-self"}) {
    if (is_within(std::string(alias), path)) return true;
  }
  return false;
}

void absorb(FsCapability& survivor, const FsCapability& loser) {
  // Never across classes: a group's WRITE must not widen the READ that a user gave.
  if (same_class(survivor, loser) && same_object(survivor, loser)) {
    const bool read = reads(survivor.access) || reads(loser.access);
    const bool write = writes(survivor.access) || writes(loser.access);
    if (read && write) survivor.access = AccessMode::kReadWrite;
  }
  if (same_object(survivor, loser)) {
    survivor.links.insert(survivor.links.end(), loser.links.begin(), loser.links.end());
  }
  // People know the path by its link's name.
  if (survivor.original == survivor.resolved && loser.original != loser.resolved &&
      !names_own_process(loser.original)) {
    survivor.original = loser.original;
  }
}

}  // namespace

void CapabilitySet::deduplicate() {
  std::vector<FsCapability>& grants = fs_.edit();
  using Key = std::pair<std::string, bool>;
  std::map<Key, std::size_t> survivors;
  std::vector<bool> stays(grants.size(), true);
  for (std::size_t i = 0; i < grants.size(); ++i) {
    const auto [slot, first] = survivors.try_emplace(Key(grants[i].name(), grants[i].is_file), i);
    if (first) continue;
    const std::size_t earlier = slot->second;
    const bool later = later_wins(grants[earlier], grants[i]);
    const std::size_t survivor = later ? i : earlier;
    const std::size_t loser = later ? earlier : i;
    absorb(grants[survivor], grants[loser]);
    stays[loser] = false;
    slot->second = survivor;
  }
  std::vector<FsCapability> kept;
  for (std::size_t i = 0; i < grants.size(); ++i) {
    if (stays[i]) kept.push_back(std::move(grants[i]));
  }
  grants = std::move(kept);
}

}  // namespace nono::capability
