// decode: a waiting call by its number. Pure but for the reading of memory; any thread. Number, arguments and
// memory are the child's.
#pragma once

#include <variant>

#include "kernel/host_facts.h"
#include "supervise/metadata_call.h"
#include "supervise/name_call.h"
#include "supervise/socket_call.h"

namespace nono::supervise {

using Call = std::variant<MetadataCall, NameCall, SocketCall>;

// `number` and `arguments` as seccomp(2) reports them. The value, or the errno that answers the call: ENOSYS
// for one that is not put to a supervisor.
[[nodiscard]] std::variant<Call, int> decode(kernel::Arch arch, int number, const Arguments& arguments,
                                             const Memory& memory);

}  // namespace nono::supervise
