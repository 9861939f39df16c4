// The command line as values: what was typed, checked for form only. Paths are not looked at yet.
//
// `parse_*` take the words after the subcommand. They never print or exit: a request for help and a
// usage error come back as a Stop. The only user of CLI11 is args.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "capability/access_mode.h"
#include "capability/unix_socket.h"
#include "plan/explain_socket.h"
#include "plan/plan.h"

namespace nono::cli {

inline constexpr int kExitUsage = 2;

// Nothing more to do but print `text` (to stdout when `exit_code` is 0) and leave.
struct Stop {
  int exit_code = 0;
  std::string text;
};
template <class T>
using Parsed = tl::expected<T, Stop>;

enum class GrantKind { kDirectory, kFile };

struct PathGrant {
  std::string flag;  // "--read", for messages
  std::string path;
  capability::AccessMode access = capability::AccessMode::kRead;
  GrantKind kind = GrantKind::kDirectory;
};

struct SocketGrant {
  std::string flag;  // "--allow-unix-socket-dir-bind"
  std::string path;
  capability::SocketScope scope = capability::SocketScope::kFile;
  capability::SocketMode mode = capability::SocketMode::kConnect;
};

// What `run` and `why` have in common: what the sandbox is given.
struct GrantArguments {
  std::vector<PathGrant> paths;
  std::vector<std::string> denied;       // paths and patterns
  std::vector<std::string> unprotected;  // names in the protected set, or "all"
  std::vector<SocketGrant> sockets;
  std::vector<std::uint16_t> connect_ports;
  std::vector<std::uint16_t> bind_ports;
  bool block_network = false;
  bool system = true;  // what ordinary programs need to start
};

struct RunArguments {
  GrantArguments grants;
  std::vector<std::string> environment;  // NAME or NAME=VALUE
  std::optional<std::string> directory;
  std::optional<std::chrono::nanoseconds> timeout;
  plan::Limits limits;
  plan::Isolation isolation = plan::Isolation::kAuto;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  bool dry_run = false;
  bool json = false;
  std::vector<std::string> command;  // at least one word
};

struct WhyArguments {
  GrantArguments grants;
  std::optional<std::string> path;  // one of these three
  capability::AccessMode operation = capability::AccessMode::kRead;
  std::optional<std::string> host;
  std::uint16_t port = 443;
  std::optional<std::string> unix_socket;
  plan::SocketUse socket_use = plan::SocketUse::kConnect;
  bool json = false;
};

[[nodiscard]] Parsed<RunArguments> parse_run(const std::vector<std::string>& words);
[[nodiscard]] Parsed<WhyArguments> parse_why(const std::vector<std::string>& words);
// `setup` has nothing to say but whether it was called correctly.
[[nodiscard]] Parsed<bool> parse_setup(const std::vector<std::string>& words);

}  // namespace nono::cli
