// Keeper: the host's end of one keeper process (child_main.h), and the few that are kept for the
// next command.
//
// Making a keeper, its view and its seccomp filter costs a quarter of a short command and more, so one
// is used again: by the same process, for the same filter and view, while a process started now
// would inherit what the keeper has (host_identity.h). That last is asked after the command has been
// handed over and before it may exec, so that nobody waits for the answer. A kept keeper sleeps in
// recvmsg, holds nothing of the host's but its memory, and ends with it.
// Any thread. Resource: the destructor ends the process and reaps it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "launch/child_main.h"
#include "launch/host_identity.h"
#include "launch/rulesets.h"
#include "plan/plan.h"

namespace nono::launch {

// What a kept view shows: the same objects at the same places.
struct ViewKey {
  bool user_namespace = false;
  bool fresh_proc = false;
  std::vector<std::pair<std::string, kernel::Identity>> writable;
  bool operator==(const ViewKey&) const = default;
};

class Keeper {
 public:
  // A kept one for the plan's filter and view, or a new one. kIo.
  [[nodiscard]] static Result<std::unique_ptr<Keeper>> acquire(const plan::Plan& plan);
  // A process that the calling thread made now would be like this one. If not, it fits nobody.
  [[nodiscard]] bool fits_caller();
  // Gives it back after its command has ended well: kept if it may be.
  static void release(std::unique_ptr<Keeper> keeper);
  // Ends all kept ones, because this process is about to restrict itself.
  static void discard_kept();

  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Hands over a command. `descriptors` in the order of `Passed`, kept ones after. False: the keeper
  // has ended, and `failure` says why if it was its own doing. kIo.
  [[nodiscard]] Result<bool> send(Launch& launch, const int* descriptors, std::size_t count);
  void wake() const;  // makes it look at Launch::cancel
  void reap();        // waits for its end

  // The ruleset of a plan: the last command's again when the rules are the same. kSandboxInit.
  [[nodiscard]] Result<int> ruleset(const plan::LandlockRules& rules) { return rulesets_.get(rules); }

  [[nodiscard]] int socket() const { return socket_.get(); }  // a byte: the command is done
  [[nodiscard]] int process() const { return process_.get(); }  // pidfd: the keeper has ended
  [[nodiscard]] const Failure& failure() const { return start_.failure; }

 private:
  struct FreeMemory {
    void operator()(std::byte* memory) const;
  };
  Keeper() = default;
  [[nodiscard]] static Result<std::unique_ptr<Keeper>> make(const plan::Plan& plan);
  [[nodiscard]] bool view_is_current() const;

  KeeperStart start_;
  std::unique_ptr<std::byte, FreeMemory> stacks_;  // the keeper's, the command's, the init's
  std::optional<ViewKey> view_;
  Fd mounts_;  // with a view: /proc/self/mountinfo, which says when the host's mounts have changed
  plan::SeccompProgram program_;
  HostIdentity identity_;  // of its maker
  bool is_new_ = true;
  HostFiles host_files_;
  RulesetCache rulesets_;
  Fd socket_;
  Fd process_;
  bool reaped_ = true;
};

}  // namespace nono::launch
