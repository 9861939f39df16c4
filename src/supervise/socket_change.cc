#include "supervise/socket_change.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>

#include "kernel/fd_table.h"
#include "supervise/bound_object.h"
#include "supervise/object.h"

namespace nono::supervise {
namespace {

int error_of(long result) { return result < 0 ? errno : 0; }

int option(const Fd& socket, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket.get(), SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

// Without waiting, whatever the socket says; it says the same afterwards. Its threads may see it meanwhile.
class WithoutWaiting {
 public:
  explicit WithoutWaiting(const Fd& socket) : socket_(socket), flags_(::fcntl(socket.get(), F_GETFL)) {
    if (would_wait()) ::fcntl(socket_.get(), F_SETFL, flags_ | O_NONBLOCK);
  }
  ~WithoutWaiting() {
    if (would_wait()) ::fcntl(socket_.get(), F_SETFL, flags_);
  }
  WithoutWaiting(const WithoutWaiting&) = delete;
  WithoutWaiting& operator=(const WithoutWaiting&) = delete;
  [[nodiscard]] bool would_wait() const { return flags_ >= 0 && (flags_ & O_NONBLOCK) == 0; }

 private:
  const Fd& socket_;
  const int flags_;
};

struct RawAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

RawAddress raw(const SocketAddress& address) {
  RawAddress out;
  out.size = static_cast<socklen_t>(std::min(address.bytes.size(), sizeof out.bytes));
  std::memcpy(&out.bytes, address.bytes.data(), out.size);
  return out;
}

RawAddress unix_address(const std::string& path) {
  RawAddress out;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size(), sizeof address.sun_path - 1));
  out.size = sizeof address;
  std::memcpy(&out.bytes, &address, sizeof address);
  return out;
}

bool is_absolute(const RawAddress& address) {
  return reinterpret_cast<const char*>(&address.bytes)[offsetof(sockaddr_un, sun_path)] == '/';
}

class Change {
 public:
  Change(const SocketEnds& ends, SocketLaw& law, DeniedNames& names, Fd waiting)
      : ends_(ends), law_(law), names_(names), waiting_(std::move(waiting)), is_unix_(option(ends.socket, SO_DOMAIN) == AF_UNIX) {}

  Answer operator()(const Connect& call) {
    if (waiting_.valid()) return connected();
    if (!is_unix_ || call.address.family() != AF_UNIX) return connect_to(raw(call.address));
    auto peer = reachable(call.address);
    if (const int* error = std::get_if<int>(&peer)) return Answer::of(*error);
    return connect_to(unix_address(link_to(std::get<Fd>(peer))));
  }

  Answer operator()(const Bind& call) {
    const RawAddress address = raw(call.address);
    if (!is_unix_ || !call.address.path()) return Answer::of(error_of(::bind(ends_.socket.get(), address.get(), address.size)));
    return Answer::of(bind_path(address));
  }

  // Asked about only where no port may be listened on.
  Answer operator()(const Listen& call) {
    return Answer::of(is_unix_ ? error_of(::listen(ends_.socket.get(), call.backlog)) : EPERM);
  }

  Answer operator()(const Send& call) {
    constexpr int kFastOpen = 0x20000000;
    RawAddress address;
    std::optional<Fd> peer;
    if ((call.flags & kFastOpen) != 0 && !is_unix_) return Answer::of(EPERM);
    if (call.address && is_unix_ && call.address->family() == AF_UNIX) {
      auto found = reachable(*call.address);
      if (const int* error = std::get_if<int>(&found)) return Answer::of(*error);
      address = unix_address(link_to(peer.emplace(std::get<Fd>(std::move(found)))));
    } else if (call.address) {
      address = raw(*call.address);
    }
    return send(call, address);
  }

 private:
  // The socket that an address names, if it may be reached.
  std::variant<Fd, int> reachable(const SocketAddress& address) const {
    if (!address.path()) return EPERM;
    auto object = open_object(ends_.path, true);
    if (std::holds_alternative<int>(object)) return object;
    const Fd& held = std::get<Fd>(object);
    const auto identity = kernel::fstat(held);
    const auto place = place_of(held);
    if (!identity) return EACCES;
    if (const int* error = std::get_if<int>(&place)) return *error;
    if (!S_ISSOCK(identity->mode)) return ECONNREFUSED;
    const auto& path = std::get<std::string>(place);
    if (names_.check(path, *identity, plan::Use::kRead) != 0) return EACCES;
    const bool is_granted = std::ranges::any_of(law_.grants, [&](const auto& grant) { return grant.covers(path); });
    if (!is_granted && !law_.bound.contains(key_of(held.get(), ""))) return EACCES;
    return object;
  }

  Answer connect_to(const RawAddress& address) {
    const WithoutWaiting now(ends_.socket);
    const int error = error_of(::connect(ends_.socket.get(), address.get(), address.size));
    if (!now.would_wait() || (error != EINPROGRESS && error != EAGAIN)) return Answer::of(error);
    // A full queue is tried again from the beginning; a connection that is on its way is waited for.
    return error == EAGAIN ? Answer::not_yet() : Answer::not_yet(copy_of_socket());
  }

  Answer connected() {
    struct pollfd socket = {ends_.socket.get(), POLLOUT, 0};
    if (::poll(&socket, 1, 0) == 0) return Answer::not_yet(std::move(waiting_));
    return Answer::of(std::max(0, option(ends_.socket, SO_ERROR)));
  }

  [[nodiscard]] Fd copy_of_socket() const { return Fd(::fcntl(ends_.socket.get(), F_DUPFD_CLOEXEC, 3)); }

  // By the path as it was given, which is what getsockname tells afterwards; by its last name in the directory that is
  // held where a view's own directory is meant, and where the device cannot be compared. The path is walked once more
  // then, and names change hands: only what the socket is really bound to counts as the command's.
  int bind_path(const RawAddress& address) {
    const std::shared_lock lock(names_.moving());
    auto slot = open_slot(ends_.path);
    if (const int* error = std::get_if<int>(&slot)) return *error;
    const Slot& held = std::get<Slot>(slot);
    const auto place = place_of(held);
    if (const int* error = std::get_if<int>(&place)) return *error;
    if (const int error = names_.check(std::get<std::string>(place), std::nullopt, plan::Use::kChange)) return error;
    if (!may_bind(std::get<std::string>(place))) return EACCES;
    const std::string name(plain_name(held));
    const bool hides_device = hides_its_device(held.directory.get());
    const bool by_name = hides_device || (ends_.path.root == Root::kPrivate && !is_absolute(address));
    const int from = by_name ? held.directory.get() : ends_.path.root == Root::kOurs ? ends_.path.fd.get() : -1;
    if (from >= 0 && ::fchdir(from) != 0) return errno;
    const RawAddress named = by_name ? unix_address(name) : address;
    ::umask(ends_.umask);
    if (const int error = error_of(::bind(ends_.socket.get(), named.get(), named.size))) return error;
    struct stat st {};
    const Fd made(::openat(held.directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    const Device device = hides_device ? Device::kKnown : Device::kCompared;
    if (made.valid() && ::fstat(made.get(), &st) == 0 && is_bound_to(ends_.socket, st, device)) {
      law_.bound.add(key_of(made.get(), ""));
    }
    return 0;
  }

  // Landlock knows directories alone: a grant of one socket would be one of all others beside it.
  [[nodiscard]] bool may_bind(const std::string& place) const {
    const auto binds = [](const auto& grant) { return grant.mode == capability::SocketMode::kConnectBind; };
    if (std::ranges::none_of(law_.grants, binds)) return true;
    return std::ranges::any_of(law_.grants, [&](const auto& grant) { return binds(grant) && grant.covers(place); }) ||
           std::ranges::any_of(law_.files, [&](const auto& grant) { return capability::writes(grant.access) && grant.covers(place); });
  }

  Answer send(const Send& call, const RawAddress& address) const {
    const bool is_stream = option(ends_.socket, SO_TYPE) == SOCK_STREAM;
    if (call.length_at != 0 && is_stream) return Answer::of(EOPNOTSUPP);
    if (call.is_cut && !is_stream) return Answer::of(EMSGSIZE);
    iovec data{const_cast<std::byte*>(call.data.data()), call.data.size()};
    std::vector<std::byte> control;
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (address.size != 0) {
      message.msg_name = const_cast<sockaddr_storage*>(&address.bytes);
      message.msg_namelen = address.size;
    }
    if (!ends_.descriptors.empty()) add_descriptors(message, control);
    // No others: MSG_ZEROCOPY would send what is in our memory later.
    constexpr int kKnown = MSG_OOB | MSG_DONTROUTE | MSG_EOR | MSG_CONFIRM | MSG_MORE;
    const int flags = (call.flags & kKnown) | MSG_DONTWAIT | MSG_NOSIGNAL;
    if ((call.flags & ~(kKnown | MSG_DONTWAIT | MSG_NOSIGNAL)) != 0) return Answer::of(EOPNOTSUPP);
    const ssize_t sent = ::sendmsg(ends_.socket.get(), &message, flags);
    if (sent >= 0) {
      Answer answer = Answer::of(0);
      answer.result = call.length_at != 0 ? 1 : static_cast<int>(sent);
      return answer;
    }
    const bool waits = (call.flags & MSG_DONTWAIT) == 0 && (::fcntl(ends_.socket.get(), F_GETFL) & O_NONBLOCK) == 0;
    return errno == EAGAIN && waits ? Answer::not_yet() : Answer::of(errno);
  }

  void add_descriptors(msghdr& message, std::vector<std::byte>& control) const {
    const std::size_t size = ends_.descriptors.size() * sizeof(int);
    control.resize(CMSG_SPACE(size));
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(size);
    for (std::size_t i = 0; i < ends_.descriptors.size(); ++i) {
      const int number = ends_.descriptors[i].get();
      std::memcpy(CMSG_DATA(head) + i * sizeof number, &number, sizeof number);
    }
  }

  const SocketEnds& ends_;
  SocketLaw& law_;
  DeniedNames& names_;
  Fd waiting_;
  const bool is_unix_;
};

}  // namespace

Answer perform_socket_call(const SocketCall& call, const SocketEnds& ends, SocketLaw& law, DeniedNames& names,
                           Fd waiting) {
  return std::visit(Change(ends, law, names, std::move(waiting)), call);
}

}  // namespace nono::supervise
