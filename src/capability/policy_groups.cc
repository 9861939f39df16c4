#include "capability/policy_groups.h"

#include <stdlib.h>

#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace nono::capability {
namespace {

constexpr std::string_view kPlatform = "linux";

// A group describes many hosts; what this one does not have, or may not be resolved by this user,
// is no grant. Anything else (no descriptor left, a variable that is not set) is an error.
bool is_ungrantable(const Error& error) {
  return error.kind == ErrorKind::kPathNotFound || error.kind == ErrorKind::kPathResolution;
}

Status grant_all(const policy::Strings& paths, AccessMode access, const std::string& group,
                 const policy::Environment& environment, CapabilitySet& set) {
  for (const std::string& path : paths) {
    const std::string expanded = NONO_TRY(policy::expand_path(path, environment));
    Status granted = set.allow_any(expanded, access, CapabilitySource::group(group));
    if (!granted && !is_ungrantable(granted.error())) return granted;
  }
  return {};
}

Status apply_allow(const policy::Allow& allow, const std::string& group,
                   const policy::Environment& environment, CapabilitySet& set) {
  if (auto s = grant_all(allow.read, AccessMode::kRead, group, environment, set); !s) return s;
  if (auto s = grant_all(allow.write, AccessMode::kWrite, group, environment, set); !s) return s;
  return grant_all(allow.readwrite, AccessMode::kReadWrite, group, environment, set);
}

Status apply_deny(const policy::Deny& deny, const policy::Environment& environment,
                  ResolvedPolicy& resolved) {
  for (const std::string& path : deny.access) {
    std::string expanded = NONO_TRY(policy::expand_path(path, environment));
    std::string canonical = canonicalize_existing_part(expanded);
    const bool differs = canonical != expanded;
    resolved.deny_paths.push_back(std::move(expanded));
    if (differs) resolved.deny_paths.push_back(std::move(canonical));
  }
  if (deny.unlink_override_for_user_writable) resolved.needs_unlink_overrides = true;
  return {};
}

std::optional<std::string> environment_value(const char* name) {
  const char* value = ::getenv(name);
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

}  // namespace

Result<GroupResolution> resolve_groups(const policy::Policy& policy, const std::vector<std::string>& names,
                                       const CapabilitySet& base, const policy::Environment& environment) {
  GroupResolution result{base, {}};
  for (const std::string& name : names) {
    const policy::Group* group = policy.find_group(name);
    if (group == nullptr) {
      return fail(ErrorKind::kConfigParse,
                  cat("Configuration parse error: Unknown policy group: '", escape(name), "'"));
    }
    if (group->platform && *group->platform != kPlatform) continue;
    if (group->allow) {
      if (auto s = apply_allow(*group->allow, name, environment, result.capabilities); !s) {
        return tl::unexpected<Error>(std::move(s).error());
      }
    }
    if (group->deny) {
      if (auto s = apply_deny(*group->deny, environment, result.resolved); !s) {
        return tl::unexpected<Error>(std::move(s).error());
      }
    }
    if (group->network && (group->network->block || group->network->configures_proxy())) {
      result.capabilities.block_network();
    }
    result.resolved.names.push_back(name);
  }
  return result;
}

policy::Environment current_environment() {
  return {environment_value("HOME"), environment_value("TMPDIR")};
}

}  // namespace nono::capability
