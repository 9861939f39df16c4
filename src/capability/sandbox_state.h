// SandboxState: a CapabilitySet as JSON, to hand to another process. Value.
//
// The JSON is what nono-py 0.16 writes and reads (fs, unix_sockets, net_blocked, resource_limits).
// A reader may get it from a stranger: it only ever names paths, which are resolved anew. What a
// grant held (its descriptor, who asked for it) does not travel.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "capability/capability_set.h"

namespace nono::capability {

class SandboxState {
 public:
  // kInvalidArgument when `set` has port lists, denials or protected names, or a path that is not UTF-8 and so no JSON
  // string: they cannot be carried and must not be lost.
  [[nodiscard]] static Result<SandboxState> from_caps(const CapabilitySet& set);
  // kInvalidJson ("Invalid JSON: ..."). Limits of size and depth: policy/strict_json.h.
  [[nodiscard]] static Result<SandboxState> from_json(std::string_view json);

  [[nodiscard]] std::string to_json() const;
  // Resolves every `original` again, as the user's own grants; the errors of allow_path, allow_file and
  // allow_unix_socket, kConfigParse for an access or a socket's mode that does not exist.
  [[nodiscard]] Result<CapabilitySet> to_caps() const;

  [[nodiscard]] bool net_blocked() const { return net_blocked_; }
  [[nodiscard]] std::size_t fs_count() const { return fs_.size(); }

 private:
  friend class StateReader;

  struct FsEntry {
    std::string original;
    std::string resolved;
    std::string access;
    bool is_file = false;
  };
  struct SocketEntry {
    std::string original;
    std::string resolved;
    std::optional<std::string> scope;
    std::optional<bool> is_directory;
    std::string mode;
  };
  [[nodiscard]] static SocketScope scope_of(const SocketEntry& entry);

  std::vector<FsEntry> fs_;
  std::vector<SocketEntry> unix_sockets_;
  bool net_blocked_ = false;
  std::optional<ResourceLimits> resource_limits_;
};

}  // namespace nono::capability
