// One line that says why a command failed, when the sandbox was the reason. Pure: what the plan
// says about a path comes from the caller's LookUp, which asks the same plan the kernel was given.
//
// The command wrote the text that leads here, and would like the user to grant more: so a line
// never names more than one path, never a flag for a protected one or for what holds it, and no
// text that a terminal or a shell would act upon.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/explain.h"
#include "plan/seccomp_rules.h"

namespace nono::cli {

struct PathFacts {
  std::string canonical;
  bool exists = false;
  bool is_directory = false;
  bool is_socket = false;
  bool socket_granted = false;  // may be connected to, whoever has made it
  bool is_protected = false;    // holds secrets, or is a way out: nothing to suggest
  bool is_system = false;       // programs and settings of the system: never to be written
  bool user_may_read = false;   // outside the sandbox, by file permissions
  bool user_may_write = false;
  plan::PathAnswer read;        // what the plan says
  plan::PathAnswer write;
};
// A path as the command wrote it; relative ones belong to the command's directory.
using LookUp = std::function<PathFacts(const std::string& path)>;

struct NetworkFacts {
  plan::Sockets sockets = plan::Sockets::kInternet;
  std::vector<std::uint16_t> connect_ports;
};

// "nono: ..." without a line end; nothing when nothing is known.
[[nodiscard]] std::optional<std::string> explain_denial(std::string_view stderr_text,
                                                        const NetworkFacts& network,
                                                        const LookUp& look_up);

// The same when the kernel refused to start `file`: the command's program, or what that needs to
// start (`needed_by`, may be empty).
[[nodiscard]] std::optional<std::string> explain_not_started(const PathFacts& file,
                                                             const std::string& needed_by);

// `path` for a command line; nothing when a shell, a terminal or a reader could take it for
// something else.
[[nodiscard]] std::optional<std::string> shell_word(const std::string& path);

// "--read-file /etc/motd", the path as a shell word; empty when no flag is safe and of use.
[[nodiscard]] std::string flag_for(const PathFacts& facts, capability::AccessMode missing);

}  // namespace nono::cli
