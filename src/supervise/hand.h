// What a thread that performs calls gives up first: it may then do what the command may, and no more, so that a
// wrong judgement opens nothing that the kernel would not open for the command itself.
// Of the calling thread alone, and for good. An attacker chooses what it is asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "plan/plan.h"

namespace nono::supervise {

// The command's rules, and what they lack for those calls alone that are performed here.
struct Rules {
  plan::LandlockRules landlock;
  std::vector<plan::LandlockPathRule> in_proc;  // with a mount view: of its own /proc
  std::vector<std::string> sockets_in;          // directories in which a grant lets sockets be made

  explicit Rules(const plan::Plan& plan);
};

// As a ruleset. `thread`: one of the command's, by whose root the paths are meant.
[[nodiscard]] Result<Fd> ruleset_of(const Rules& rules, int thread);

// What such a thread of a host with capabilities keeps: the command's, and those to change its user. For when the host changes
// its own, the C library does it on every thread, and ends the process if one cannot. None: there are none to drop.
[[nodiscard]] std::optional<std::uint64_t> capabilities_to_keep(const plan::Plan& plan);

// A descriptor table for this thread and those that it starts, with 0, 1, 2 and these (above) in it. One that they shared with
// the host would take the host's own locks (fcntl) on a file along with each descriptor of that file that is closed.
// False: it must not be used.
[[nodiscard]] bool leave_descriptors(std::vector<int> kept);

// A umask and a working directory of its own, and none but these capabilities (none given: it has none to drop).
// False: it must not be used.
[[nodiscard]] bool set_this_thread_apart(std::optional<std::uint64_t> kept_capabilities);

// The same, and the ruleset.
[[nodiscard]] bool confine_this_thread(int ruleset, std::optional<std::uint64_t> kept_capabilities);

}  // namespace nono::supervise
