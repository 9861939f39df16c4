// Performs a call on a socket for a waiting thread, on the socket itself (a descriptor of the same open file) and with
// the rights of the calling thread, which is confined as the command is: Landlock decides about ports. Of the Unix
// sockets that have a path, those that the command has bound itself and those that are granted are reached; of
// the abstract ones none.
#pragma once

#include <vector>

#include "capability/grant_list.h"
#include "capability/unix_socket.h"
#include "supervise/answer.h"
#include "supervise/denied_names.h"
#include "supervise/object_key.h"
#include "supervise/origin.h"
#include "supervise/socket_call.h"

namespace nono::supervise {

// What a socket call means, taken from the waiting thread.
struct SocketEnds {
  Fd socket;
  Origin path;                  // of the address, if that has one
  std::vector<Fd> descriptors;  // to be sent
  mode_t umask = 077;
};

// Any thread.
struct SocketLaw {
  std::vector<capability::UnixSocketCapability> grants;
  capability::GrantList files;
  OwnObjects bound;
};

// `waiting`: valid if this call has begun already.
[[nodiscard]] Answer perform_socket_call(const SocketCall& call, const SocketEnds& ends, SocketLaw& law,
                                         DeniedNames& names, Fd waiting);

}  // namespace nono::supervise
