// Request: a command in the form that the keeper and the command's process read (child_main.h), its
// ends of the standard streams, and the host's ends.
//
// Resource with one owner. Must not move or change while a keeper has it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "launch/child_main.h"
#include "launch/command.h"
#include "plan/plan.h"

namespace nono::launch {

class Request {
 public:
  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Once. Points into `plan` and `command`, which must live as long. kIo.
  [[nodiscard]] Status prepare(const plan::Plan& plan, Command& command);

  // What goes with it, in the order of `Passed`.
  [[nodiscard]] std::vector<int> descriptors(const plan::Plan& plan) const;
  // Once the command has ended, its ends of the streams. Until then they stay open here: writing to its stdin
  // cannot raise SIGPIPE, and its exit does not wake the host, which would wait for the keeper all the same.
  void release_streams();

  Launch launch;
  Fd input;   // non-blocking, if the command is given bytes
  Fd output;  // non-blocking, if the host reads it
  Fd error;

 private:
  [[nodiscard]] Status prepare_streams(const Command& command);
  [[nodiscard]] static Result<Fd> child_end(const Output& sink, Fd& reader);

  std::vector<std::string> environment_text_;
  std::vector<char*> argv_;
  std::vector<char*> environment_;
  std::vector<RlimitPair> limits_;
  std::vector<kernel::ProcRule> proc_rules_;
  std::array<Fd, 3> standard_;
  Fd directory_;
};

}  // namespace nono::launch
