// UnixSocketCapability: a Unix socket outside that may be reached by its path, or may be made there. Value.
//
// By name, not by object: who owns a socket makes it anew whenever it starts. An attacker inside can
// replace nothing on the way that no write grant covers.
#pragma once

#include <string>

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

struct UnixSocketCapability {
  std::string original;  // as the caller gave it
  std::string resolved;  // canonical, absolute
  SocketScope scope = SocketScope::kFile;
  SocketMode mode = SocketMode::kConnect;

  // `place`: canonical.
  [[nodiscard]] bool covers(const std::string& place) const;
  bool operator==(const UnixSocketCapability&) const = default;
};

}  // namespace nono::capability
