#include "supervise/socket_call.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/once.h"

namespace nono::supervise {
namespace {

constexpr std::size_t kMaxData = 256 * 1024;  // the kernel's own default bound for a datagram is 208 KiB
constexpr std::size_t kMaxControl = 4096;
constexpr std::size_t kMaxDescriptors = 253;  // SCM_MAX_FD

// As the kernel lays it out; the C library's differs in types only.
struct Message {
  std::uint64_t name = 0;
  std::uint32_t name_size = 0;
  std::uint64_t parts = 0;
  std::uint64_t part_count = 0;
  std::uint64_t control = 0;
  std::uint64_t control_size = 0;
  std::uint32_t flags = 0;
};
struct Part {
  std::uint64_t at = 0;
  std::uint64_t size = 0;
};
struct ControlHead {
  std::uint64_t size = 0;
  std::int32_t level = 0;
  std::int32_t type = 0;
};
static_assert(sizeof(Message) == 56 && sizeof(Part) == 16 && sizeof(ControlHead) == 16);

class Decoder {
 public:
  Decoder(const Arguments& arguments, const Memory& memory) : in_(arguments, memory) {}

  std::variant<SocketCall, int> decode(std::string_view name) {
    static constinit Once<Steps<Decoder>> steps;
    const auto make = [] {
      return Steps<Decoder>{
          {"connect", &Decoder::connect}, {"bind", &Decoder::bind},       {"listen", &Decoder::listen},
          {"sendto", &Decoder::sendto},   {"sendmsg", &Decoder::sendmsg}, {"sendmmsg", &Decoder::sendmmsg},
      };
    };
    return run_step(steps.get(make), name, *this, in_, call_);
  }

 private:
  void connect() { call_ = Connect{in_.integer(0), address(in_.word(1), in_.integer(2))}; }
  void bind() { call_ = Bind{in_.integer(0), address(in_.word(1), in_.integer(2))}; }
  void listen() { call_ = Listen{in_.integer(0), in_.integer(1)}; }

  void sendto() {
    Send send;
    send.socket = in_.integer(0);
    send.flags = in_.integer(3);
    if (in_.word(4) != 0) send.address = address(in_.word(4), in_.integer(5));
    add_data(send, in_.word(1), in_.word(2));
    call_ = std::move(send);
  }
  void sendmsg() { call_ = message(in_.word(1), in_.integer(2)); }
  void sendmmsg() {
    constexpr std::size_t kAfterMessage = sizeof(Message);
    if (in_.flags(2) == 0) return in_.fail(EINVAL);
    Send send = message(in_.word(1), in_.integer(3));
    send.length_at = in_.word(1) + kAfterMessage;
    call_ = std::move(send);
  }

  Send message(std::uint64_t at, int flags) {
    Send send;
    send.socket = in_.integer(0);
    send.flags = flags;
    Message head;
    in_.note(read_object(in_.memory(), at, head));
    if (in_.error() != 0) return send;
    if (head.name != 0 && head.name_size != 0) {
      send.address = address(head.name, static_cast<int>(std::min<std::uint32_t>(head.name_size, sizeof(sockaddr_storage))));
    }
    if (head.part_count > IOV_MAX) in_.fail(EMSGSIZE);
    for (std::uint64_t i = 0; i < head.part_count && in_.error() == 0 && !send.is_cut; ++i) {
      Part part;
      in_.note(read_object(in_.memory(), head.parts + i * sizeof part, part));
      if (in_.error() == 0) add_data(send, part.at, part.size);
    }
    if (head.control_size != 0) add_control(send, head.control, head.control_size);
    return send;
  }

  void add_data(Send& send, std::uint64_t at, std::uint64_t size) {
    const std::size_t before = send.data.size();
    send.is_cut = size > kMaxData - before;
    if (send.is_cut) size = kMaxData - before;
    send.data.resize(before + size);
    if (size != 0) in_.note(read_all(in_.memory(), at, std::span(send.data).subspan(before)));
  }

  // Descriptors alone: credentials would be the supervisor's to give.
  void add_control(Send& send, std::uint64_t at, std::uint64_t size) {
    if (size > kMaxControl) return in_.fail(ENOBUFS);
    std::vector<std::byte> control(size);
    in_.note(read_all(in_.memory(), at, control));
    std::size_t position = 0;
    while (in_.error() == 0 && position + sizeof(ControlHead) <= control.size()) {
      ControlHead head;
      std::memcpy(&head, control.data() + position, sizeof head);
      if (head.size < sizeof head || head.size > control.size() - position) return in_.fail(EINVAL);
      if (head.level != SOL_SOCKET || head.type != SCM_RIGHTS) return in_.fail(EPERM);
      const std::size_t count = (head.size - sizeof head) / sizeof(int);
      if (send.descriptors.size() + count > kMaxDescriptors) return in_.fail(EINVAL);
      const std::size_t before = send.descriptors.size();
      send.descriptors.resize(before + count);
      if (count != 0) std::memcpy(send.descriptors.data() + before, control.data() + position + sizeof head, count * sizeof(int));
      position += (head.size + 7) / 8 * 8;
    }
  }

  SocketAddress address(std::uint64_t at, int size) {
    if (size < 0 || static_cast<std::size_t>(size) > sizeof(sockaddr_storage)) {
      in_.fail(EINVAL);
      return {};
    }
    SocketAddress read{std::vector<std::byte>(static_cast<std::size_t>(size))};
    if (size != 0) in_.note(read_all(in_.memory(), at, read.bytes));
    return read;
  }

  CallReader in_;
  SocketCall call_;
};

}  // namespace

int SocketAddress::family() const {
  sa_family_t family = AF_UNSPEC;
  if (bytes.size() >= sizeof family) std::memcpy(&family, bytes.data(), sizeof family);
  return family;
}

std::optional<std::string> SocketAddress::path() const {
  constexpr std::size_t kBegin = offsetof(sockaddr_un, sun_path);
  if (family() != AF_UNIX || bytes.size() <= kBegin || bytes.size() > sizeof(sockaddr_un)) return std::nullopt;
  if (bytes[kBegin] == std::byte{0}) return std::nullopt;  // abstract
  const auto end = std::find(bytes.begin() + kBegin, bytes.end(), std::byte{0});
  return std::string(reinterpret_cast<const char*>(bytes.data()) + kBegin, static_cast<std::size_t>(end - bytes.begin()) - kBegin);
}

std::variant<SocketCall, int> decode_socket_call(std::string_view name, const Arguments& arguments,
                                                 const Memory& memory) {
  return Decoder(arguments, memory).decode(name);
}

}  // namespace nono::supervise
