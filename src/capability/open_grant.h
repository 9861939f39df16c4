// The one place where a path becomes a grant: resolved, opened without following anything, held.
//
// Between the resolution and the open an attacker may swap a component for a link; the open then
// fails instead of landing elsewhere.
#pragma once

#include <string>

#include "base/result.h"
#include "capability/fs_capability.h"

namespace nono::capability {

enum class GrantType { kDirectory, kFile, kAny };

// Errors: see FsCapability.
[[nodiscard]] Result<FsCapability> open_grant(const std::string& path, AccessMode access,
                                              CapabilitySource source, GrantType wanted);

}  // namespace nono::capability
