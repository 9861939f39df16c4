#include "cli/system_paths.h"

#include <dirent.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/text.h"
#include "capability/path_resolution.h"

namespace nono::cli {
namespace {

using capability::AccessMode;
using capability::CapabilitySet;
using capability::CapabilitySource;

// Links into /usr on most systems: one grant less to hold and to check for each.
constexpr std::array kPrograms = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store"};
constexpr std::array kSettings = {
    "/etc/alternatives",
    "/etc/debian_version", "/etc/lsb-release", "/etc/os-release",  // pip does not run without an answer
    "/etc/gitconfig",  // git does not run where it is there and cannot be read
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf", "/etc/hosts",
    "/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates", "/etc/ca-certificates.conf",
    "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf", "/etc/pki/ca-trust",
    "/etc/crypto-policies",
    "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
};
constexpr std::array kResolver = {"/etc/resolv.conf", "/etc/gai.conf", "/etc/host.conf"};
// Debian's interpreters are configured outside /usr: /etc/python3.11, /etc/java-17-openjdk.
constexpr std::array<std::string_view, 2> kInterpreters = {"python3", "java-"};

bool is_granted(const CapabilitySet& set, const std::string& path) {
  return std::ranges::any_of(set.fs(), [&](const capability::FsCapability& grant) {
    return !grant.is_file && reads(grant.access) && capability::is_within(grant.resolved, path);
  });
}

// What is not there, or may not be reached by this user, is no loss; running out of descriptors is.
Status add(CapabilitySet& set, const std::string& path, AccessMode access = AccessMode::kRead) {
  if (access == AccessMode::kRead && is_granted(set, path)) return {};
  Status added = set.allow_any(path, access, CapabilitySource::system());
  if (!added && added.error().kind == ErrorKind::kIo) return added;
  return {};
}

Status add_interpreter_settings(CapabilitySet& set) {
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> etc(::opendir("/etc"));
  if (etc == nullptr) return {};
  while (const dirent* entry = ::readdir(etc.get())) {
    const std::string_view name = entry->d_name;
    for (const auto prefix : kInterpreters) {
      if (!name.starts_with(prefix)) continue;
      if (Status ok = add(set, cat("/etc/", name)); !ok) return ok;
    }
  }
  return {};
}

}  // namespace

Status add_system_paths(CapabilitySet& set) {
  for (const char* path : kPrograms) {
    const auto resolved = capability::canonicalize(path);
    if (!resolved) continue;
    if (Status ok = add(set, *resolved); !ok) return ok;
  }
  for (const char* path : kSettings) {
    if (Status ok = add(set, path); !ok) return ok;
  }
  if (!set.is_network_blocked()) {
    for (const char* path : kResolver) {
      if (Status ok = add(set, path); !ok) return ok;
    }
  }
  if (Status ok = add_interpreter_settings(set); !ok) return ok;
  return add(set, "/dev/null", AccessMode::kReadWrite);
}

}  // namespace nono::cli
