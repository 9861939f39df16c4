#include "capability/capability_set.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "capability/open_grant.h"
#include "capability/platform_rule.h"

namespace nono::capability {
namespace {

Status add(std::vector<FsCapability>& grants, Result<FsCapability> grant) {
  if (!grant) return tl::unexpected<Error>(std::move(grant).error());
  grants.push_back(*std::move(grant));
  return {};
}

void append_ports(std::vector<std::string>& lines, std::string_view title,
                  const std::vector<std::uint16_t>& ports) {
  if (ports.empty()) return;
  std::vector<std::string> numbers;
  for (const std::uint16_t port : ports) numbers.push_back(std::to_string(port));
  lines.push_back(cat("  ", title, ": ", join(numbers, ", ")));
}

}  // namespace

Status CapabilitySet::allow_path(const std::string& path, AccessMode access, CapabilitySource source) {
  return add(fs_.edit(), FsCapability::directory(path, access, std::move(source)));
}

Status CapabilitySet::allow_file(const std::string& path, AccessMode access, CapabilitySource source) {
  return add(fs_.edit(), FsCapability::file(path, access, std::move(source)));
}

Status CapabilitySet::allow_any(const std::string& path, AccessMode access, CapabilitySource source) {
  return add(fs_.edit(), open_grant(path, access, std::move(source), GrantType::kAny));
}

Status CapabilitySet::allow_glob(const std::string& pattern, AccessMode access, CapabilitySource source) {
  return add(fs_.edit(), FsCapability::matching(pattern, access, std::move(source)));
}

Status CapabilitySet::deny_path(const std::string& path_or_pattern) {
  Denial denial = NONO_TRY(Denial::of(path_or_pattern));
  const bool known = std::ranges::any_of(denials_.own(), [&](const Denial& d) { return d.names == denial.names; });
  if (!known) denials_.add(std::move(denial));
  return {};
}

Status CapabilitySet::protect(const std::vector<std::string>& names) {
  ProtectedNames wanted = protected_;
  for (const std::string& name : names) {
    if (Status ok = wanted.add(name); !ok) return ok;
  }
  protected_ = wanted;
  denials_.set_built_in(protected_.rules());
  return {};
}

Status CapabilitySet::unprotect(const std::string& name) {
  if (Status ok = protected_.remove(name); !ok) return ok;
  denials_.set_built_in(protected_.rules());
  return {};
}

Status CapabilitySet::allow_unix_socket(const std::string& path, SocketScope scope, SocketMode mode) {
  UnixSocketCapability wanted = NONO_TRY(UnixSocketCapability::of(path, scope, mode));
  const auto same = std::ranges::find_if(unix_sockets_, [&](const UnixSocketCapability& grant) {
    return grant.resolved == wanted.resolved && grant.scope == wanted.scope;
  });
  if (same == unix_sockets_.end()) {
    unix_sockets_.push_back(std::move(wanted));
  } else if (wanted.mode == SocketMode::kConnectBind) {
    same->mode = wanted.mode;
  }
  return {};
}

Status CapabilitySet::platform_rule(const std::string& rule) {
  if (auto valid = validate_platform_rule(rule); !valid) return valid;
  platform_rules_.push_back(rule);
  return {};
}

bool CapabilitySet::path_covered(const std::string& path) const {
  if (!path.starts_with('/')) return false;
  const std::string folded = fold(path);
  return std::any_of(fs_.begin(), fs_.end(), [&](const FsCapability& grant) {
    return !grant.is_file && grant.covers(folded);
  });
}

std::string CapabilitySet::network_text() const {
  return is_network_blocked() ? "blocked" : "allowed";
}

std::string CapabilitySet::summary() const {
  std::vector<std::string> lines;
  lines.emplace_back(fs_.empty() ? "(no capabilities granted)" : "Filesystem:");
  for (const FsCapability& grant : fs_) {
    lines.push_back(cat("  ", escape(grant.name()), " [", to_string(grant.access), "] (",
                        grant.pattern ? "pattern" : grant.is_file ? "file" : "dir", ")"));
  }
  for (const Denial& denial : denials_.own()) lines.push_back(cat("  ", escape(denial.resolved), " [denied]"));
  if (!protected_.empty()) lines.push_back(cat("  protected: ", join(protected_.names(), ", ")));
  if (!unix_sockets_.empty()) lines.emplace_back("Unix sockets:");
  for (const UnixSocketCapability& grant : unix_sockets_) lines.push_back(cat("  ", grant.to_string()));
  lines.emplace_back("Network:");
  lines.push_back(cat("  outbound: ", network_text()));
  append_ports(lines, "tcp connect ports", connect_ports_);
  append_ports(lines, "tcp bind ports", bind_ports_);
  return join(lines, "\n");
}

}  // namespace nono::capability
