#include "cli/planted_links.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "capability/path_resolution.h"

namespace nono::cli {
namespace {

using capability::CapabilitySet;
using capability::FsCapability;

std::optional<std::string> target_of(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(size));
}

const FsCapability* writer_of(const std::string& path, const CapabilitySet& set) {
  for (const FsCapability& grant : set.fs()) {
    if (!grant.is_file && writes(grant.access) && grant.covers(path)) return &grant;
  }
  return nullptr;
}

// Walks `path` as the kernel does. The first link on the way that lies in a writable grant.
std::optional<std::string> planted_link(std::string rest, const CapabilitySet& set) {
  constexpr int kMaximumLinks = 40;
  std::string at;
  for (int links = 0; !rest.empty() && links <= kMaximumLinks;) {
    const std::size_t start = rest.find_first_not_of('/');
    if (start == std::string::npos) break;
    const std::size_t end = std::min(rest.find('/', start), rest.size());
    const std::string name = rest.substr(start, end - start);
    rest.erase(0, end);
    if (name == ".") continue;
    if (name == "..") {
      at.resize(at.empty() ? 0 : at.rfind('/'));
      continue;
    }
    const std::string here = cat(at, "/", name);
    const auto target = target_of(here);
    if (!target) {
      at = here;
      continue;
    }
    if (writer_of(here, set) != nullptr) return here;
    ++links;
    if (target->starts_with('/')) at.clear();
    rest = cat(*target, rest);
  }
  return std::nullopt;
}

Status check(const std::string& flag, const std::string& path, const std::string& directory, const CapabilitySet& set) {
  const auto link = planted_link(path.starts_with('/') ? path : cat(directory, "/", path), set);
  if (!link) return {};
  return fail(ErrorKind::kSandboxInit,
              cat(flag, " ", escape(path), " goes through the link ", escape(*link), ", which lies inside ",
                  escape(writer_of(*link, set)->resolved), ": a command that may write there chooses what it grants"),
              "Name what the link points to instead.");
}

}  // namespace

Status check_planted_links(const GrantArguments& grants, const CapabilitySet& set) {
  const std::string directory = NONO_TRY(capability::canonicalize("."));
  for (const PathGrant& grant : grants.paths) {
    if (Status ok = check(grant.flag, grant.path, directory, set); !ok) return ok;
  }
  for (const SocketGrant& grant : grants.sockets) {
    if (Status ok = check(grant.flag, grant.path, directory, set); !ok) return ok;
  }
  return {};
}

}  // namespace nono::cli
