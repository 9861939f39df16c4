#include "capability/unix_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "capability/capability_set.h"
#include "capability/test_directory.h"

namespace nono::capability {
namespace {

using namespace std::string_literals;

std::string make_socket(const std::string& path) {
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  return path;
}

Result<UnixSocketCapability> file(const std::string& path, SocketMode mode = SocketMode::kConnect) {
  return UnixSocketCapability::of(path, SocketScope::kFile, mode);
}

void expect_error(const Result<UnixSocketCapability>& result, ErrorKind kind, const std::string& message) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, kind);
  EXPECT_EQ(result.error().message, message);
}

UnixSocketCapability made(const std::string& resolved, SocketScope scope) {
  return {resolved, resolved, scope, SocketMode::kConnect};
}

class UnixSocketTest : public testing::Test {
 protected:
  TestDirectory dir_;
  std::string real_ = dir_.directory("real");
  std::string link_ = dir_.link("link", "real");
};

TEST_F(UnixSocketTest, LinksAreFollowed) {
  const std::string socket = make_socket(real_ + "/s");
  const auto grant = file(link_ + "/../link/s", SocketMode::kConnectBind).value();
  EXPECT_EQ(grant.original, link_ + "/../link/s");
  EXPECT_EQ(grant.resolved, socket);
  EXPECT_EQ(grant.scope, SocketScope::kFile);
  EXPECT_EQ(grant.mode, SocketMode::kConnectBind);
  EXPECT_EQ(grant.to_string(), socket + " [connect+bind] (file)");
  EXPECT_EQ(file(dir_.link("to_socket", socket)).value().resolved, socket);
}

TEST_F(UnixSocketTest, ASocketNeedNotExistButItsDirectoryMust) {
  for (const SocketMode mode : {SocketMode::kConnect, SocketMode::kConnectBind}) {
    EXPECT_EQ(file(link_ + "/later", mode).value().resolved, real_ + "/later");
    EXPECT_EQ(file(dir_.path() + "/./real//later", mode).value().resolved, real_ + "/later");
  }
  EXPECT_EQ(file("/nothing-is-here").value().resolved, "/nothing-is-here");
  expect_error(file(link_ + "/a/b"), ErrorKind::kPathNotFound, "Path does not exist: " + real_ + "/a");
  EXPECT_NE(file(link_ + "/a/b").error().hint.find("its directory must"), std::string::npos);
}

TEST_F(UnixSocketTest, ADanglingLinkLeadsToWhereTheSocketWillBe) {
  EXPECT_EQ(file(dir_.link("ahead", "real/later")).value().resolved, real_ + "/later");
  expect_error(file(dir_.link("lost", "no/later")), ErrorKind::kPathNotFound,
               "Path does not exist: " + (dir_ / "no"));
  EXPECT_EQ(file(dir_.link("loop", "loop")).error().kind, ErrorKind::kPathResolution);
}

TEST_F(UnixSocketTest, OtherThingsAreNamed) {
  const std::string plain = dir_.file("plain");
  const std::string fifo = dir_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  expect_error(file(plain), ErrorKind::kExpectedUnixSocket, "Expected a Unix socket but got a file: " + plain);
  expect_error(file(fifo), ErrorKind::kExpectedUnixSocket, "Expected a Unix socket but got a FIFO: " + fifo);
  expect_error(file("/dev/null"), ErrorKind::kExpectedUnixSocket, "Expected a Unix socket but got a device: /dev/null");
  expect_error(file(link_), ErrorKind::kExpectedUnixSocket, "Expected a Unix socket but got a directory: " + link_);
  EXPECT_NE(file(link_).error().hint.find("scope"), std::string::npos);
  EXPECT_EQ(file(plain + "/s").error().kind, ErrorKind::kPathResolution);
  expect_error(file("/"), ErrorKind::kExpectedUnixSocket, "Expected a Unix socket but got a directory: /");
  EXPECT_EQ(file(real_ + "/missing/..").error().kind, ErrorKind::kExpectedUnixSocket);
}

TEST_F(UnixSocketTest, NamesThatAreNoPaths) {
  for (const SocketScope scope : {SocketScope::kFile, SocketScope::kDirChildren, SocketScope::kDirSubtree}) {
    const auto of = [&](const std::string& path) { return UnixSocketCapability::of(path, scope, SocketMode::kConnect); };
    expect_error(of(""), ErrorKind::kPathNotFound, "Path does not exist: ");
    EXPECT_EQ(of(real_ + "\0x"s).error().kind, ErrorKind::kPathResolution);
    expect_error(of("@x\x1b"), ErrorKind::kInvalidArgument, "Abstract Unix sockets cannot be granted: @x\\x1b");
    EXPECT_NE(of("@x").error().hint.find("./@x"), std::string::npos);
    expect_error(of("\0x"s), ErrorKind::kInvalidArgument, "Abstract Unix sockets cannot be granted: \\x00x");
  }
  EXPECT_EQ(file(dir_ / "@x").value().resolved, dir_ / "@x");
}

TEST_F(UnixSocketTest, ScopesOfSeveralTakeADirectory) {
  const std::string socket = make_socket(real_ + "/s");
  for (const SocketScope scope : {SocketScope::kDirChildren, SocketScope::kDirSubtree}) {
    const auto of = [&](const std::string& path) { return UnixSocketCapability::of(path, scope, SocketMode::kConnect); };
    EXPECT_EQ(of(link_ + "/").value().resolved, real_);
    expect_error(of(socket), ErrorKind::kExpectedDirectory, "Expected a directory but got a file: " + socket);
    expect_error(of(real_ + "/no"), ErrorKind::kPathNotFound, "Path does not exist: " + real_ + "/no");
    expect_error(of("/"), ErrorKind::kInvalidArgument, "Unix sockets cannot be granted for the whole file system");
    expect_error(of("/usr/.."), ErrorKind::kInvalidArgument, "Unix sockets cannot be granted for the whole file system");
  }
}

TEST(UnixSocketCovers, AFileIsItself) {
  const auto grant = made("/run/a", SocketScope::kFile);
  EXPECT_TRUE(grant.covers("/run/a"));
  for (const char* other : {"", "/", "/run", "/run/ab", "/run/a/b", "/run/A", "run/a", "/x/run/a"}) {
    EXPECT_FALSE(grant.covers(other)) << other;
  }
}

TEST(UnixSocketCovers, ChildrenAreDirectlyInIt) {
  const auto grant = made("/run/a", SocketScope::kDirChildren);
  EXPECT_TRUE(grant.covers("/run/a/s"));
  for (const char* other : {"", "/", "/run", "/run/a", "/run/ab", "/run/ab/s", "/run/a/b/s", "/x/run/a/s", "s"}) {
    EXPECT_FALSE(grant.covers(other)) << other;
  }
  const auto root = made("/", SocketScope::kDirChildren);
  EXPECT_TRUE(root.covers("/s"));
  for (const char* other : {"", "/", "/run/s"}) EXPECT_FALSE(root.covers(other)) << other;
}

TEST(UnixSocketCovers, ASubtreeIsStrictlyBelow) {
  const auto grant = made("/run/a", SocketScope::kDirSubtree);
  EXPECT_TRUE(grant.covers("/run/a/s"));
  EXPECT_TRUE(grant.covers("/run/a/b/c/s"));
  for (const char* other : {"", "/", "/run", "/run/a", "/run/ab", "/run/ab/s", "/x/run/a/s"}) {
    EXPECT_FALSE(grant.covers(other)) << other;
  }
  const auto root = made("/", SocketScope::kDirSubtree);
  EXPECT_TRUE(root.covers("/s"));
  EXPECT_TRUE(root.covers("/run/a/s"));
  for (const char* other : {"", "/"}) EXPECT_FALSE(root.covers(other)) << other;
}

TEST_F(UnixSocketTest, OneGrantForOnePlaceAndScope) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_unix_socket(link_ + "/s"));
  ASSERT_TRUE(set.allow_unix_socket(real_, SocketScope::kDirSubtree, SocketMode::kConnectBind));
  ASSERT_TRUE(set.allow_unix_socket(real_, SocketScope::kDirChildren));
  ASSERT_TRUE(set.allow_unix_socket(real_ + "/s", SocketScope::kFile, SocketMode::kConnectBind));
  ASSERT_TRUE(set.allow_unix_socket(real_ + "/s"));
  ASSERT_TRUE(set.allow_unix_socket(link_, SocketScope::kDirSubtree));
  EXPECT_FALSE(set.allow_unix_socket("@x"));
  const std::vector<UnixSocketCapability> expected = {
      {link_ + "/s", real_ + "/s", SocketScope::kFile, SocketMode::kConnectBind},
      {real_, real_, SocketScope::kDirSubtree, SocketMode::kConnectBind},
      {real_, real_, SocketScope::kDirChildren, SocketMode::kConnect},
  };
  EXPECT_EQ(set.unix_sockets(), expected);
  EXPECT_EQ(set.summary(), "(no capabilities granted)\n"
                           "Unix sockets:\n"
                           "  " + real_ + "/s [connect+bind] (file)\n"
                           "  " + real_ + " [connect+bind] (dir-subtree)\n"
                           "  " + real_ + " [connect] (dir-children)\n"
                           "Network:\n  outbound: allowed");
}

}  // namespace
}  // namespace nono::capability
