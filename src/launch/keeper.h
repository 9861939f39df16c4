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
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "launch/child_main.h"
#include "launch/host_identity.h"
#include "launch/rulesets.h"
#include "launch/view.h"
#include "plan/plan.h"

namespace nono::launch {

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

  // Hands over a command, to be restricted by `rules`. `descriptors` in the order of `Passed`, kept ones
  // after. False: the keeper has ended, and `failure` says why if it was its own doing. kIo,
  // kSandboxInit.
  [[nodiscard]] Result<bool> send(Launch& launch, const plan::LandlockRules& rules,
                                  const std::vector<int>& descriptors);
  // Until its view stands, if it has one, or it has ended.
  void wait_for_view() const;
  // With denied paths: once the view stands, a descriptor that poll(2) reports POLLPRI on when one of
  // them is covered no longer. kIo.
  [[nodiscard]] Status watch_covers();
  [[nodiscard]] int covers() const { return view_mounts_.get(); }
  [[nodiscard]] Fd open_covers() const;  // another one; invalid with errno

  // With a filter that asks a supervisor: its listener, which comes once, or with a /proc for each command after
  // each `send`. kIo.
  [[nodiscard]] Status take_listener();
  [[nodiscard]] int listener() const { return listener_.get(); }

  void wake() const;  // makes it look at Launch::cancel
  void reap();        // waits for its end, and until nothing of it uses this memory

  [[nodiscard]] bool is_new() const { return is_new_; }  // has served nobody yet
  [[nodiscard]] int socket() const { return socket_.get(); }  // a byte: the command is done
  [[nodiscard]] int process() const { return process_.get(); }  // pidfd: the keeper has ended
  [[nodiscard]] bool command_in_memory() const { return start_.command_in_memory.load() != 0; }
  [[nodiscard]] const Failure& failure() const { return start_.failure; }

 private:
  struct FreeMemory {
    void operator()(std::byte* memory) const;
  };
  Keeper() = default;
  [[nodiscard]] static Result<std::unique_ptr<Keeper>> make(plan::SeccompProgram program,
                                                            std::optional<ViewKey> view, bool once,
                                                            const plan::SeccompRules& rules);
  [[nodiscard]] bool view_is_current() const;
  [[nodiscard]] Result<bool> send_message(Launch* launch, const std::vector<int>& descriptors);

  KeeperStart start_;
  std::unique_ptr<std::byte, FreeMemory> stacks_;  // the keeper's, the command's, the init's
  std::optional<ViewKey> view_;
  std::optional<ViewSetup> view_setup_;
  Fd mounts_;  // with a view: /proc/self/mountinfo, which says when the host's mounts have changed
  Fd view_mounts_;  // the same of the view itself
  int pid_ = 0;
  plan::SeccompProgram program_;
  HostIdentity identity_;  // of its maker
  bool is_new_ = true;
  Fd listener_;
  HostFiles host_files_;
  RulesetMemory ruleset_;  // of the ruleset that the keeper has
  Fd socket_;
  Fd process_;
  bool reaped_ = true;
};

}  // namespace nono::launch
