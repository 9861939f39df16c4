#include "cli/known_sockets.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/text.h"
#include "capability/test_directory.h"

namespace nono::cli {
namespace {

using capability::SocketScope;

bool says(const std::string& place, std::string_view word) {
  return danger_of_socket(place).find(word) != std::string::npos;
}

TEST(KnownSockets, ContainerEnginesAreTheWholeMachine) {
  for (const char* place : {"/run/docker.sock", "/var/run/docker.sock", "/run/user/1000/docker.sock",
                            "/run/user/1000/podman/podman.sock", "/run/podman/podman.sock",
                            "/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock", "/run/crio/crio.sock",
                            "/home/me/.docker/run/docker.sock", "/home/me/.docker/desktop/docker.sock",
                            "/home/me/.colima/default/docker.sock", "/var/snap/lxd/common/lxd/unix.socket",
                            "/run/libvirt/libvirt-sock", "/tmp/Docker.SOCK"}) {
    EXPECT_TRUE(says(place, "a grant of the whole machine")) << place;
  }
}

TEST(KnownSockets, BusesAgentsAndDesktops) {
  for (const char* place : {"/run/dbus/system_bus_socket", "/run/user/1000/bus", "/run/systemd/private",
                            "/run/systemd/journal/socket", "/run/user/0/systemd/private", "/tmp/dbus-Xy12"}) {
    EXPECT_TRUE(says(place, "start programs")) << place;
  }
  for (const char* place : {"/tmp/ssh-Ab12/agent.77", "/run/user/1000/gnupg/S.gpg-agent", "/home/me/.gnupg/S.gpg-agent.ssh",
                            "/run/user/1000/keyring/ssh", "/home/me/.1password/agent.sock", "/run/user/1000/gcr/ssh"}) {
    EXPECT_TRUE(says(place, "keys")) << place;
  }
  for (const char* place : {"/tmp/.X11-unix/X0", "/run/user/1000/wayland-0", "/tmp/tmux-1000/default"}) {
    EXPECT_TRUE(says(place, "can type")) << place;
  }
}

TEST(KnownSockets, OthersAreNot) {
  for (const char* place : {"", "/", "/run", "/run/postgresql/.s.PGSQL.5432", "/tmp/mysql.sock", "/ws/app.sock", "/ws/docker",
                            "/run/redis/redis.sock"}) {
    EXPECT_EQ(danger_of_socket(place), "") << place;
  }
}

TEST(KnownSockets, TheAgentOfTheEnvironment) {
  ASSERT_EQ(::setenv("SSH_AUTH_SOCK", "/ws/odd", 1), 0);
  EXPECT_TRUE(says("/ws/odd", "keys"));
  EXPECT_NE(danger_of_grant({"/ws", "/ws", SocketScope::kDirChildren}), "");
  ASSERT_EQ(::unsetenv("SSH_AUTH_SOCK"), 0);
  EXPECT_EQ(danger_of_socket("/ws/odd"), "");
}

TEST(KnownSockets, ADirectoryIsWhatItCovers) {
  ::unsetenv("SSH_AUTH_SOCK");
  EXPECT_EQ(danger_of_grant({"/run", "/run", SocketScope::kDirSubtree}),
            "It covers /run/docker.sock. " + danger_of_socket("/run/docker.sock"));
  EXPECT_NE(danger_of_grant({"/run", "/run", SocketScope::kDirChildren}), "");
  EXPECT_NE(danger_of_grant({"/tmp", "/tmp", SocketScope::kDirSubtree}), "");
  EXPECT_EQ(danger_of_grant({"/tmp", "/tmp", SocketScope::kDirChildren}), "");
  EXPECT_EQ(danger_of_grant({"/ws", "/ws", SocketScope::kDirSubtree}), "");
  EXPECT_EQ(danger_of_grant({"/run/docker.sock", "/run/docker.sock", SocketScope::kFile}),
            danger_of_socket("/run/docker.sock"));
}

}  // namespace
}  // namespace nono::cli
