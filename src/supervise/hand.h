// What a thread that performs calls gives up first: it may then do what the command may, and no more, so that a
// wrong judgement opens nothing that the kernel would not open for the command itself.
// Of the calling thread alone, and for good. An attacker chooses what it is asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "plan/plan.h"

namespace nono::supervise {

// The command's rules as a ruleset. `thread`: one of the command's, whose /proc the rules below /proc mean if it
// has a mount view.
[[nodiscard]] Result<Fd> ruleset_of(const plan::LandlockRules& rules, const std::vector<plan::LandlockPathRule>& in_proc,
                                    int thread);

// `kept_capabilities`: none if it has none to drop. False: it must not be used.
[[nodiscard]] bool confine_this_thread(const Fd& ruleset, std::optional<std::uint64_t> kept_capabilities);

}  // namespace nono::supervise
