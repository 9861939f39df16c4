#include "launch/rulesets.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "capability/path_resolution.h"
#include "kernel/landlock.h"

namespace nono::launch {
namespace {

// A rule on a directory above it says the same: it would only cost at each restrict. Not so for a file,
// which may have another name elsewhere.
bool is_implied(const plan::LandlockPathRule& rule, const std::vector<plan::LandlockPathRule>& all) {
  return S_ISDIR(rule.handle->identity.mode) && std::ranges::any_of(all, [&](const auto& other) {
    return (rule.access & ~other.access) == 0 && rule.path != other.path &&
           capability::is_within(other.path, rule.path);
  });
}

}  // namespace

Result<Fd> make_ruleset(const plan::LandlockRules& rules) {
  Fd ruleset = NONO_TRY(kernel::landlock_create_ruleset({rules.handled_fs, rules.handled_net, rules.scoped}));
  for (const auto& rule : rules.paths) {
    if (rule.access == 0) continue;  // nothing of it exists on this ABI; the kernel refuses empty rules
    if (is_implied(rule, rules.paths)) continue;
    if (Status ok = kernel::landlock_add_path_rule(ruleset, rule.handle->fd.get(), rule.access); !ok) {
      return tl::unexpected(ok.error());
    }
  }
  for (const auto& rule : rules.ports) {
    if (Status ok = kernel::landlock_add_port_rule(ruleset, rule.port, rule.access); !ok) {
      return tl::unexpected(ok.error());
    }
  }
  return ruleset;
}

bool RulesetMemory::holds(const plan::LandlockRules& rules) const {
  const auto same_path = [&](std::size_t i) {
    return rules_.paths[i].access == rules.paths[i].access && handles_[i].lock() == rules.paths[i].handle;
  };
  bool same = rules_.handled_fs == rules.handled_fs &&
              rules_.handled_net == rules.handled_net && rules_.scoped == rules.scoped &&
              rules_.ports == rules.ports && rules_.paths.size() == rules.paths.size();
  for (std::size_t i = 0; same && i < rules.paths.size(); ++i) same = same_path(i);
  return same;
}

void RulesetMemory::remember(const plan::LandlockRules& rules) {
  rules_ = rules;
  handles_.clear();
  for (auto& rule : rules_.paths) handles_.emplace_back(std::exchange(rule.handle, nullptr));
}

}  // namespace nono::launch
