// UnixSocketCapability: a Unix socket outside that may be reached by its path, or may be made there. Value.
//
// By name, not by object: who owns a socket makes it anew whenever it starts. An attacker inside can
// replace nothing on the way that no write grant covers.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace nono::capability {

enum class SocketScope {
  kFile,         // this one
  kDirChildren,  // those directly in this directory
  kDirSubtree,   // those anywhere below it
};

enum class SocketMode {
  kConnect,      // and send datagrams
  kConnectBind,  // and make it
};

[[nodiscard]] std::string_view to_string(SocketScope scope);  // "file", "dir_children", "dir_subtree"
[[nodiscard]] std::string_view to_string(SocketMode mode);    // "connect", "connect+bind"

struct UnixSocketCapability {
  std::string original;  // as the caller gave it
  std::string resolved;  // canonical, absolute
  SocketScope scope = SocketScope::kFile;
  SocketMode mode = SocketMode::kConnect;

  // A socket need not exist yet, its directory must; a dangling link is followed to where it leads. Errors:
  // kPathNotFound, kExpectedUnixSocket, kExpectedDirectory, kPathResolution; kInvalidArgument for an abstract name
  // ("@x", or a leading NUL) and for all that is in "/".
  [[nodiscard]] static Result<UnixSocketCapability> of(const std::string& path, SocketScope scope, SocketMode mode);

  // `place`: canonical.
  [[nodiscard]] bool covers(const std::string& place) const;
  [[nodiscard]] std::string to_string() const;  // "<resolved> [connect+bind] (dir-subtree)"
  bool operator==(const UnixSocketCapability&) const = default;
};

}  // namespace nono::capability
