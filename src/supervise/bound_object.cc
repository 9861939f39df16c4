#include "supervise/bound_object.h"

#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

namespace nono::supervise {
namespace {

struct Request {
  nlmsghdr head{};
  unix_diag_req about{};
};

std::optional<unix_diag_vfs> ask(const struct stat& socket) {
  const Fd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  Request request;
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST;
  request.about.sdiag_family = AF_UNIX;
  request.about.udiag_states = ~0U;
  request.about.udiag_ino = static_cast<std::uint32_t>(socket.st_ino);
  request.about.udiag_show = UDIAG_SHOW_VFS;
  request.about.udiag_cookie[0] = request.about.udiag_cookie[1] = ~0U;
  if (!netlink.valid() || ::send(netlink.get(), &request, sizeof request, 0) != sizeof request) return std::nullopt;
  alignas(nlmsghdr) std::array<unsigned char, 4096> answer;
  const ssize_t size = ::recv(netlink.get(), answer.data(), answer.size(), 0);
  nlmsghdr head;
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(unix_diag_msg)))) return std::nullopt;
  std::memcpy(&head, answer.data(), sizeof head);
  if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len > static_cast<std::size_t>(size)) return std::nullopt;
  std::size_t at = NLMSG_LENGTH(sizeof(unix_diag_msg));
  while (at + sizeof(rtattr) <= head.nlmsg_len) {
    rtattr attribute;
    std::memcpy(&attribute, answer.data() + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > head.nlmsg_len) return std::nullopt;
    unix_diag_vfs found;
    if (attribute.rta_type == UNIX_DIAG_VFS && attribute.rta_len >= sizeof attribute + sizeof found) {
      std::memcpy(&found, answer.data() + at + sizeof attribute, sizeof found);
      return found;
    }
    at += NLMSG_ALIGN(attribute.rta_len);
  }
  return std::nullopt;
}

}  // namespace

bool hides_its_device(int directory) {
  struct statfs fs {};
  return ::fstatfs(directory, &fs) != 0 || fs.f_type == BTRFS_SUPER_MAGIC;
}

bool is_bound_to(const Fd& socket, const struct stat& st, Device device) {
  struct stat itself {};
  if (!S_ISSOCK(st.st_mode) || ::fstat(socket.get(), &itself) != 0) return false;
  const auto bound = ask(itself);
  // As the kernel writes devices inside: twenty bits for the minor number.
  const auto number = static_cast<std::uint32_t>(major(st.st_dev) << 20 | minor(st.st_dev));
  return bound && bound->udiag_vfs_ino == static_cast<std::uint32_t>(st.st_ino) &&
         (device == Device::kKnown || bound->udiag_vfs_dev == number);
}

}  // namespace nono::supervise
