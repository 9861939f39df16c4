// SocketCall: one of the calls that give a socket an address, reach for one or send to one, with everything
// that its arguments point to read. Decoding trusts nothing: numbers, addresses and memory are the child's.
// Value; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "supervise/call_reader.h"

namespace nono::supervise {

// struct sockaddr as given: any family, any length that the kernel takes.
struct SocketAddress {
  std::vector<std::byte> bytes;

  [[nodiscard]] int family() const;                   // AF_UNSPEC when it is too short for one
  [[nodiscard]] std::optional<std::string> path() const;  // of a Unix socket that has a name in a file system
};

struct Connect {
  int socket = -1;
  SocketAddress address;
};
struct Bind {
  int socket = -1;
  SocketAddress address;
};
struct Listen {
  int socket = -1;
  int backlog = 0;
};
// One message. Of a sendmmsg only the first: the caller goes on with the others.
struct Send {
  int socket = -1;
  std::optional<SocketAddress> address;
  std::vector<std::byte> data;
  bool is_cut = false;           // there was more: a stream may take a part, a datagram may not
  std::vector<int> descriptors;  // SCM_RIGHTS: numbers in the caller's table
  int flags = 0;
  std::uint64_t length_at = 0;   // sendmmsg: where the caller will read how much was sent. A datagram is sent whole
};

using SocketCall = std::variant<Connect, Bind, Listen, Send>;

// `name`: connect, bind, listen, sendto, sendmsg or sendmmsg. The value, or the errno that answers the call: ENOSYS
// for one that is not such a call.
[[nodiscard]] std::variant<SocketCall, int> decode_socket_call(std::string_view name, const Arguments& arguments,
                                                               const Memory& memory);

}  // namespace nono::supervise
