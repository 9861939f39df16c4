#include "capability/unix_socket.h"

#include "capability/path_resolution.h"

namespace nono::capability {

bool UnixSocketCapability::covers(const std::string& place) const {
  switch (scope) {
    case SocketScope::kFile: return place == resolved;
    case SocketScope::kDirChildren: return place.substr(0, place.rfind('/')) == (resolved == "/" ? "" : resolved);
    case SocketScope::kDirSubtree: return place != resolved && is_within_folded(resolved, place);
  }
  return false;
}

}  // namespace nono::capability
