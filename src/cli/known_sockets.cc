#include "cli/known_sockets.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "capability/name_pattern.h"
#include "capability/path_resolution.h"

namespace nono::cli {
namespace {

using capability::NamePattern;

struct Kind {
  const char* danger;
  std::vector<const char*> patterns;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"It belongs to a container engine: a grant of it is a grant of the whole machine.",
       {"**/docker*.sock", "**/podman*.sock", "**/podman/*.sock", "**/containerd*.sock*", "**/containerd/**/*.sock*",
        "**/crio.sock", "**/crio/*.sock", "**/buildkit*.sock", "**/lxd/unix.socket", "**/incus/unix.socket*",
        "**/libvirt*/*-sock*", "**/snapd*.socket", "**/.docker/**/*.sock", "**/.colima/**/*.sock",
        "**/.orbstack/**/*.sock"}},
      {"It belongs to a bus or to what manages services: those who reach it start programs outside the sandbox.",
       {"/run/dbus/*", "/run/user/*/bus", "**/system_bus_socket", "/run/systemd/**", "/run/user/*/systemd/**",
        "**/at-spi/*", "/tmp/dbus-*", "**/supervisor.sock"}},
      {"It belongs to an agent that holds keys: those who reach it use them.",
       {"**/S.gpg-agent*", "**/S.scdaemon", "**/S.keyboxd", "/tmp/ssh-*/agent.*", "**/.ssh/agent*/**", "**/ssh-agent*",
        "/run/user/*/keyring/**", "/run/user/*/gcr/*", "**/.1password/*.sock", "**/*ssh-agent*.sock",
        "**/openssh_agent", "**/yubikey-agent*", "**/kwallet*"}},
      {"It belongs to a desktop or a terminal: those who reach it can type and read there, outside the sandbox.",
       {"/tmp/.X11-unix/*", "/run/user/*/wayland-*", "/tmp/tmux-*/*", "/run/tmux/**", "/run/screen/**",
        "**/vscode-ipc-*", "**/vscode-*.sock", "**/emacs*/server", "/run/user/*/pipewire-*"}},
  };
  return all;
}

// Where some of them are on most machines.
std::vector<std::string> usual_places() {
  const std::string user = cat("/run/user/", ::getuid());
  return {"/run/docker.sock",        "/run/podman/podman.sock", cat(user, "/podman/podman.sock"),
          "/run/containerd/containerd.sock", "/run/dbus/system_bus_socket", cat(user, "/bus"),
          "/run/systemd/private",    cat(user, "/systemd/private"), cat(user, "/keyring/ssh"),
          cat(user, "/gnupg/S.gpg-agent"), "/tmp/.X11-unix/X0", cat("/tmp/tmux-", ::getuid(), "/default")};
}

std::string ssh_agent() {
  const char* path = ::getenv("SSH_AUTH_SOCK");
  return path == nullptr || *path != '/' ? "" : capability::canonicalize_existing_part(path);
}

bool matches(const char* pattern, const capability::PathNames& place) {
  const auto names = NamePattern::parse(pattern);
  return names && names->match(place).has_value();
}

}  // namespace

std::string danger_of_socket(const std::string& place) {
  const capability::PathNames names(place);
  for (const Kind& kind : kinds()) {
    if (std::ranges::any_of(kind.patterns, [&](const char* pattern) { return matches(pattern, names); })) return kind.danger;
  }
  return !place.empty() && place == ssh_agent() ? kinds()[2].danger : "";
}

std::string danger_of_grant(const capability::UnixSocketCapability& grant) {
  if (grant.scope == capability::SocketScope::kFile) return danger_of_socket(grant.resolved);
  for (const std::string& place : usual_places()) {
    if (grant.covers(place)) return cat("It covers ", place, ". ", danger_of_socket(place));
  }
  const std::string agent = ssh_agent();
  return !agent.empty() && grant.covers(agent) ? cat("It covers ", agent, ". ", danger_of_socket(agent)) : "";
}

}  // namespace nono::cli
