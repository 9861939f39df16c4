#include "capability/sandbox_state.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace nono::capability {
namespace {

bool is_utf8(const std::string& text) {
  try {
    (void)nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

std::optional<AccessMode> parse_access(std::string_view text) {
  for (const AccessMode mode : {AccessMode::kRead, AccessMode::kWrite, AccessMode::kReadWrite}) {
    if (text == to_string(mode)) return mode;
  }
  return std::nullopt;
}

std::optional<SocketMode> parse_mode(std::string_view text) {
  for (const SocketMode mode : {SocketMode::kConnect, SocketMode::kConnectBind}) {
    if (text == to_string(mode)) return mode;
  }
  return std::nullopt;
}

tl::unexpected<Error> not_utf8(const std::string& path) {
  return fail(ErrorKind::kInvalidArgument, cat("SandboxState cannot represent a path that is not UTF-8: ", escape(path)),
              "Grant a directory above it, or rename it.");
}

}  // namespace

// Before there were scopes, `is_directory` meant the sockets directly in it.
SocketScope SandboxState::scope_of(const SocketEntry& entry) {
  for (const SocketScope scope : {SocketScope::kFile, SocketScope::kDirChildren, SocketScope::kDirSubtree}) {
    if (entry.scope && *entry.scope == to_string(scope)) return scope;
  }
  return entry.is_directory.value_or(false) ? SocketScope::kDirChildren : SocketScope::kFile;
}

Result<SandboxState> SandboxState::from_caps(const CapabilitySet& set) {
  if (!set.localhost_ports().empty() || !set.connect_ports().empty() || !set.bind_ports().empty()) {
    return fail(ErrorKind::kInvalidArgument,
                "SandboxState cannot represent per-port TCP allowlists (allow_localhost_port / "
                "allow_tcp_connect_port / allow_bind_port); serializing would silently drop them "
                "and could widen the restored sandbox. Remove the port rules or transfer the "
                "CapabilitySet without SandboxState.");
  }
  if (!set.protected_names().empty()) {
    return fail(ErrorKind::kInvalidArgument,
                "SandboxState cannot represent protected names; serializing would silently drop them",
                "Transfer the CapabilitySet without SandboxState, or unprotect(\"all\") and protect again afterwards.");
  }
  if (!set.denials().empty()) {
    return fail(ErrorKind::kInvalidArgument,
                cat("SandboxState cannot represent denied paths (first: ",
                    escape(set.denials()[0].resolved), "); serializing would silently drop them"),
                "Transfer the CapabilitySet without SandboxState.");
  }
  const auto glob = std::ranges::find_if(set.fs(), [](const FsCapability& grant) { return grant.pattern.has_value(); });
  if (glob != set.fs().end()) {
    return fail(ErrorKind::kInvalidArgument,
                cat("SandboxState cannot represent granted patterns (first: ", escape(glob->name()),
                    "); serializing would grant all of ", escape(glob->resolved)),
                "Transfer the CapabilitySet without SandboxState.");
  }
  SandboxState state;
  state.net_blocked_ = set.is_network_blocked();
  state.resource_limits_ = set.resource_limits();
  for (const FsCapability& grant : set.fs()) {
    if (!is_utf8(grant.original) || !is_utf8(grant.resolved)) return not_utf8(grant.resolved);
    state.fs_.push_back({grant.original, grant.resolved, std::string(to_string(grant.access)),
                         grant.is_file});
  }
  for (const UnixSocketCapability& grant : set.unix_sockets()) {
    if (!is_utf8(grant.original) || !is_utf8(grant.resolved)) return not_utf8(grant.resolved);
    state.unix_sockets_.push_back({grant.original, grant.resolved, std::string(to_string(grant.scope)), std::nullopt,
                                   std::string(to_string(grant.mode))});
  }
  return state;
}

Result<CapabilitySet> SandboxState::to_caps() const {
  CapabilitySet set;
  for (const FsEntry& entry : fs_) {
    const auto access = parse_access(entry.access);
    if (!access) {
      return fail(ErrorKind::kConfigParse,
                  cat("Configuration parse error: invalid access mode in sandbox state: ",
                      escape(entry.access)),
                  "Use \"read\", \"write\" or \"read+write\".");
    }
    Status granted = entry.is_file ? set.allow_file(entry.original, *access)
                                   : set.allow_path(entry.original, *access);
    if (!granted) return tl::unexpected<Error>(std::move(granted).error());
  }
  for (const SocketEntry& entry : unix_sockets_) {
    const auto mode = parse_mode(entry.mode);
    if (!mode) {
      return fail(ErrorKind::kConfigParse,
                  cat("Configuration parse error: invalid Unix socket mode in sandbox state: ", escape(entry.mode)),
                  "Use \"connect\" or \"connect+bind\".");
    }
    Status granted = set.allow_unix_socket(entry.original, scope_of(entry), *mode);
    if (!granted) return tl::unexpected<Error>(std::move(granted).error());
  }
  if (net_blocked_) set.block_network();
  set.set_resource_limits(resource_limits_);
  return set;
}

}  // namespace nono::capability
