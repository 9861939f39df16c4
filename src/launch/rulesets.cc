#include "launch/rulesets.h"

#include "kernel/landlock.h"

namespace nono::launch {

Result<Fd> make_ruleset(const plan::LandlockRules& rules) {
  Fd ruleset = NONO_TRY(kernel::landlock_create_ruleset({rules.handled_fs, rules.handled_net, rules.scoped}));
  for (const auto& rule : rules.paths) {
    if (rule.access == 0) continue;  // nothing of it exists on this ABI; the kernel refuses empty rules
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

}  // namespace nono::launch
