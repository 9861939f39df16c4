// CapabilitySet: what one sandbox is granted on this host. A value: copies are independent (the
// descriptors behind the grants are shared and immutable). Not synchronised: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "capability/denial_list.h"
#include "capability/fs_capability.h"
#include "capability/grant_list.h"
#include "capability/protected_names.h"
#include "capability/unix_socket.h"

namespace nono::capability {

enum class NetworkMode { kAllowed, kBlocked };

// Limits that travel with a set (from a SandboxState); enforcing or refusing them is the plan's job.
struct ResourceLimits {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint64_t> max_processes;
  bool operator==(const ResourceLimits&) const = default;
};

class CapabilitySet {
 public:
  // Grants a directory (all below it) or a single non-directory, source user unless given.
  // On error nothing is added. Errors: see FsCapability.
  [[nodiscard]] Status allow_path(const std::string& path, AccessMode access,
                                  CapabilitySource source = CapabilitySource::user());
  [[nodiscard]] Status allow_file(const std::string& path, AccessMode access,
                                  CapabilitySource source = CapabilitySource::user());
  // Whichever of the two the path is; used by policy groups and the CLI.
  [[nodiscard]] Status allow_any(const std::string& path, AccessMode access, CapabilitySource source);

  // Grants what a pattern matches and all below it, also what is made later. Takes a supervisor: a set with such a
  // grant is refused where there can be none. On error nothing is added. Errors: see FsCapability::matching.
  [[nodiscard]] Status allow_glob(const std::string& pattern, AccessMode access,
                                  CapabilitySource source = CapabilitySource::user());

  // Closes a path, or all that a pattern matches, inside the grants, and all below it. On error nothing is
  // added. Errors: see Denial.
  [[nodiscard]] Status deny_path(const std::string& path_or_pattern);

  // Protects these names (protected_names.h), or no longer. A new set protects none. kInvalidArgument for an unknown
  // name, with nothing changed.
  [[nodiscard]] Status protect(const std::vector<std::string>& names);
  [[nodiscard]] Status unprotect(const std::string& name);

  // Lets a Unix socket outside be reached by its path, or those in a directory. Of two grants of one place and scope
  // the one with bind counts. On error nothing is added. Errors: see UnixSocketCapability.
  [[nodiscard]] Status allow_unix_socket(const std::string& path, SocketScope scope = SocketScope::kFile,
                                         SocketMode mode = SocketMode::kConnect);

  void block_network() { network_ = NetworkMode::kBlocked; }
  void allow_localhost_port(std::uint16_t port) { localhost_ports_.push_back(port); }
  void allow_tcp_connect_port(std::uint16_t port) { connect_ports_.push_back(port); }
  void allow_bind_port(std::uint16_t port) { bind_ports_.push_back(port); }

  // The same grants on an open network, for a caller whose network is confined by other means.
  [[nodiscard]] CapabilitySet without_network_rules() const {
    CapabilitySet set = *this;
    set.network_ = NetworkMode::kAllowed;
    set.localhost_ports_.clear();
    set.connect_ports_.clear();
    set.bind_ports_.clear();
    return set;
  }

  // The same with these denials, for a plan: `denials` as they were found on this host.
  [[nodiscard]] CapabilitySet with_denials(DenialList denials) const {
    CapabilitySet set = *this;
    set.denials_ = std::move(denials);
    return set;
  }

  // A macOS Seatbelt rule: checked everywhere, enforced only there. Error: kInvalidArgument with
  // upstream's texts ("Sandbox initialization failed: platform rule ...").
  [[nodiscard]] Status platform_rule(const std::string& rule);

  void set_resource_limits(std::optional<ResourceLimits> limits) { resource_limits_ = limits; }

  // One grant per (name, is_file). A user's own grant beats a group's whatever the access;
  // accesses are united only within one class, so a group can never widen what a user gave, and
  // only for one object: where the path was replaced between two grants, the later one stays.
  void deduplicate();

  // Lexical: some directory grant is `path` or a whole-component ancestor of it ("." and ".."
  // folded). Says nothing about access, file grants or links.
  [[nodiscard]] bool path_covered(const std::string& path) const;

  [[nodiscard]] const GrantList& fs() const { return fs_; }
  [[nodiscard]] const DenialList& denials() const { return denials_; }
  [[nodiscard]] const std::vector<UnixSocketCapability>& unix_sockets() const { return unix_sockets_; }
  [[nodiscard]] const ProtectedNames& protected_names() const { return protected_; }
  [[nodiscard]] NetworkMode network() const { return network_; }
  [[nodiscard]] bool is_network_blocked() const { return network_ == NetworkMode::kBlocked; }
  [[nodiscard]] const std::vector<std::uint16_t>& localhost_ports() const { return localhost_ports_; }
  [[nodiscard]] const std::vector<std::uint16_t>& connect_ports() const { return connect_ports_; }
  [[nodiscard]] const std::vector<std::uint16_t>& bind_ports() const { return bind_ports_; }

  [[nodiscard]] const std::optional<ResourceLimits>& resource_limits() const { return resource_limits_; }

  [[nodiscard]] std::string summary() const;       // several lines, for people
  [[nodiscard]] std::string network_text() const;  // "allowed", "blocked"

 private:
  GrantList fs_;
  DenialList denials_;
  ProtectedNames protected_;
  std::vector<UnixSocketCapability> unix_sockets_;
  NetworkMode network_ = NetworkMode::kAllowed;
  std::vector<std::uint16_t> localhost_ports_;
  std::vector<std::uint16_t> connect_ports_;
  std::vector<std::uint16_t> bind_ports_;
  std::vector<std::string> platform_rules_;
  std::optional<ResourceLimits> resource_limits_;
};

}  // namespace nono::capability
