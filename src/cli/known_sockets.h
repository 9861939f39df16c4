// Sockets whose owner does for whoever reaches it what no sandbox would: starts containers, uses keys, types into
// other windows. By name: what is not known here may be as powerful. Reads SSH_AUTH_SOCK; any thread.
#pragma once

#include <string>

#include "capability/unix_socket.h"

namespace nono::cli {

// What a grant of the socket at `place` (canonical) comes to, as a sentence; empty for one that is not known.
[[nodiscard]] std::string danger_of_socket(const std::string& place);

// The same of a grant: of a directory, for the first of the known ones that it would cover in its usual place.
[[nodiscard]] std::string danger_of_grant(const capability::UnixSocketCapability& grant);

}  // namespace nono::cli
