#include "cli/protected_paths.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "capability/path_resolution.h"
#include "capability/policy_groups.h"
#include "policy/embedded_policy.h"
#include "policy/expand_path.h"
#include "policy/policy_document.h"

namespace nono::cli {
namespace {

// Kernel interfaces, other processes, the sockets of services.
constexpr std::array kWaysOut = {"/proc", "/sys", "/dev", "/run", "/var/run", "/boot"};
// Too much for one flag that somebody pastes.
constexpr std::array kTooLarge = {"/", "/etc", "/var", "/home", "/root"};
constexpr std::array kSystem = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix"};

}  // namespace

ProtectedPaths::ProtectedPaths() : paths_(kWaysOut.begin(), kWaysOut.end()) {
  const auto policy = policy::parse_policy(policy::embedded_policy_json());
  if (!policy) return;
  const policy::Environment environment = capability::current_environment();
  for (const auto& [name, group] : policy->groups) {
    if (!group.deny || group.platform.value_or("linux") != "linux") continue;
    for (const auto& path : group.deny->access) {
      if (path.starts_with("~/")) in_homes_.push_back(path.substr(1));
      if (auto expanded = policy::expand_path(path, environment)) {
        paths_.push_back(capability::canonicalize_existing_part(*expanded));
      }
    }
  }
}

bool ProtectedPaths::contains(const std::string& path) const {
  if (std::ranges::find(kTooLarge, path) != kTooLarge.end()) return true;
  const auto near = [&](const std::string& entry) {
    return capability::is_within(entry, path) || capability::is_within(path, entry);
  };
  if (std::ranges::any_of(paths_, near)) return true;
  const std::string whole = cat(path, "/");
  return std::ranges::any_of(in_homes_, [&](const std::string& entry) {
    return whole.find(cat(entry, "/")) != whole.npos;
  });
}

bool ProtectedPaths::is_system(const std::string& path) {
  return std::ranges::any_of(kSystem, [&](const char* entry) { return capability::is_within(entry, path); });
}

}  // namespace nono::cli
