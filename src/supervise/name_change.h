// Makes, moves, links or removes a name for a waiting call, as the kernel would: with the rights of the calling
// thread, which is confined as the command is. Both directories are held from before the judgement on.
#pragma once

#include "supervise/denied_names.h"
#include "supervise/name_call.h"
#include "supervise/origin.h"

namespace nono::supervise {

// 0 or an errno. `second`: where the path begins that the call names last, if it names two. `umask`: the caller's.
// Not for Open.
[[nodiscard]] int change_name(const NameCall& call, const Origin& first, const Origin& second, mode_t umask,
                              DeniedNames& names);

}  // namespace nono::supervise
