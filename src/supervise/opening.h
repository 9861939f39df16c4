// Opens a file for a waiting call, as the kernel would: with the rights of the calling thread. That is confined as the
// command is, or the call begins in a granted directory (Root::kGrant) that it cannot leave. Never waits for the other
// end of a FIFO, for a terminal or a lease.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

#include "supervise/answer.h"
#include "supervise/denied_names.h"
#include "supervise/name_call.h"
#include "supervise/origin.h"

namespace nono::supervise {

// The caller's umask, for a file that is made: to find it out takes as long as to open one. None: the caller is gone.
using AskUmask = std::function<std::optional<mode_t>()>;

// `waiting`: what the answer before held, if that was not the last one. The calling thread holds
// `names.moving()`, and has a umask of its own. From a granted directory EXDEV says: not to be opened from there.
[[nodiscard]] Answer open_for(const Open& call, const Origin& origin, const AskUmask& umask, DeniedNames& names, Fd waiting);

}  // namespace nono::supervise
