#include "supervise/socket_call.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "plan/seccomp_rules.h"
#include "supervise/test_memory.h"

namespace nono::supervise {
namespace {

std::variant<SocketCall, int> call(std::string_view name, Arguments arguments, const std::string& memory) {
  return decode_socket_call(name, arguments, Text(memory));
}

template <class Kind>
Kind decoded(std::string_view name, Arguments arguments, const std::string& memory) {
  return std::get<Kind>(std::get<SocketCall>(call(name, arguments, memory)));
}

// A page that begins with an address of this family and this rest.
std::string address(sa_family_t family, const std::string& rest) {
  std::string bytes(sizeof family, '\0');
  std::memcpy(bytes.data(), &family, sizeof family);
  return page(bytes + rest);
}

TEST(SocketCall, EveryCallThatTheFilterPutsIsKnown) {
  for (const auto& known : plan::syscall_table()) {
    switch (known.verdict) {
      case plan::Verdict::kConnect:
      case plan::Verdict::kListen:
      case plan::Verdict::kSendto:
      case plan::Verdict::kSendmsg:
      case plan::Verdict::kSendmmsg: EXPECT_NE(error_of(call(known.name, {}, page(""))), ENOSYS) << known.name; break;
      default: EXPECT_EQ(error_of(call(known.name, {}, page(""))), ENOSYS) << known.name;
    }
  }
}

TEST(SocketCall, Addresses) {
  const auto path = [](sa_family_t family, const std::string& rest, std::uint64_t size) {
    return decoded<Connect>("connect", {3, kBase, size}, address(family, rest)).address.path();
  };
  EXPECT_EQ(path(AF_UNIX, "/run/s", 110), "/run/s");
  EXPECT_EQ(path(AF_UNIX, "/run/s", 2 + 4), "/run");  // it need not end with a null byte
  EXPECT_EQ(path(AF_UNIX, std::string(108, 'x'), 110)->size(), 108U);
  EXPECT_EQ(path(AF_UNIX, std::string("\0abstract", 9), 11), std::nullopt);
  EXPECT_EQ(path(AF_UNIX, "", 2), std::nullopt);
  EXPECT_EQ(path(AF_INET, "/run/s", 16), std::nullopt);
  EXPECT_EQ(path(AF_UNIX, "/run/s", 128), std::nullopt);  // longer than any of a Unix socket
  EXPECT_EQ(decoded<Connect>("connect", {3, kBase, 1}, page("")).address.family(), AF_UNSPEC);
  EXPECT_EQ(error_of(call("connect", {3, kBase, 129}, page(""))), EINVAL);
  EXPECT_EQ(error_of(call("bind", {3, kBase, ~0ULL}, page(""))), EINVAL);
  EXPECT_EQ(error_of(call("bind", {3, 0, 16}, page(""))), EFAULT);
  EXPECT_EQ(decoded<Listen>("listen", {3, 7}, "").backlog, 7);
}

TEST(SocketCall, Messages) {
  struct {
    std::uint64_t name, name_size, parts, part_count, control, control_size, flags;
    std::uint64_t part_at, part_size, second_at, second_size;
    std::uint64_t control_length;
    std::int32_t level, type, descriptors[2];
    char text[16];
  } given{};
  const auto at = [&](const void* member) {
    return kBase + static_cast<std::uint64_t>(reinterpret_cast<const char*>(member) - reinterpret_cast<const char*>(&given));
  };
  const auto send = [&](std::string_view name, Arguments arguments) {
    std::string memory(4096, '\0');
    std::memcpy(memory.data(), &given, sizeof given);
    return call(name, arguments, memory);
  };
  std::memcpy(given.text, "onetwo", 6);
  given.parts = at(&given.part_at);
  given.part_count = 2;
  given.part_at = at(given.text);
  given.part_size = 3;
  given.second_at = at(given.text + 3);
  given.second_size = 3;
  given.control = at(&given.control_length);
  given.control_size = 24;
  given.control_length = 24;
  given.level = SOL_SOCKET;
  given.type = SCM_RIGHTS;
  given.descriptors[0] = 5;
  given.descriptors[1] = 6;
  const auto sent = std::get<Send>(std::get<SocketCall>(send("sendmsg", {3, kBase, MSG_DONTWAIT})));
  EXPECT_EQ(std::memcmp(sent.data.data(), "onetwo", 6), 0);
  EXPECT_EQ(sent.descriptors, (std::vector<int>{5, 6}));
  EXPECT_EQ(sent.flags, MSG_DONTWAIT);
  EXPECT_FALSE(sent.address);
  EXPECT_EQ(std::get<Send>(std::get<SocketCall>(send("sendmmsg", {3, kBase, 1, 0}))).length_at, kBase + 56);
  EXPECT_EQ(error_of(send("sendmmsg", {3, kBase, 0, 0})), EINVAL);
  given.type = 2;  // SCM_CREDENTIALS
  EXPECT_EQ(error_of(send("sendmsg", {3, kBase, 0})), EPERM);
  given.type = SCM_RIGHTS;
  given.control_length = 25;
  EXPECT_EQ(error_of(send("sendmsg", {3, kBase, 0})), EINVAL);
  given.control_length = 15;
  EXPECT_EQ(error_of(send("sendmsg", {3, kBase, 0})), EINVAL);
  given.control_length = 24;
  given.part_size = ~0ULL;
  EXPECT_EQ(error_of(send("sendmsg", {3, kBase, 0})), EFAULT);
  given.part_size = 3;
  EXPECT_FALSE(std::get<Send>(std::get<SocketCall>(send("sendmsg", {3, kBase, 0}))).is_cut);
  given.part_count = ~0ULL;
  EXPECT_EQ(error_of(send("sendmsg", {3, kBase, 0})), EMSGSIZE);
}

TEST(SocketCall, Sendto) {
  const std::string memory = address(AF_UNIX, "/s");
  const auto sent = decoded<Send>("sendto", {3, kBase + 2, 2, 0, kBase, 110}, memory);
  EXPECT_EQ(sent.address->path(), "/s");
  EXPECT_EQ(sent.data.size(), 2U);
  EXPECT_FALSE(decoded<Send>("sendto", {3, kBase, 2, 0, 0, 0}, memory).address);
  EXPECT_EQ(error_of(call("sendto", {3, 0, 2, 0, 0, 0}, memory)), EFAULT);
}

}  // namespace
}  // namespace nono::supervise
