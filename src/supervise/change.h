// Performs a change of metadata on an object that is held, with the calling thread's own rights.
#pragma once

#include "base/fd.h"
#include "supervise/metadata_call.h"

namespace nono::supervise {

// 0 or an errno.
[[nodiscard]] int perform(const MetadataCall& call, const Fd& object);

}  // namespace nono::supervise
