#include "policy/policy_document.h"

#include "base/text.h"

namespace nono::policy {

bool Network::configures_proxy() const {
  return allow_domain || !credentials.empty() || !custom_credentials.empty() || upstream_proxy ||
         !upstream_bypass.empty() || max_connections;
}

Strings Policy::group_names() const {
  Strings names;
  names.reserve(groups.size());
  for (const auto& [name, group] : groups) names.push_back(name);
  return names;
}

const Group* Policy::find_group(std::string_view name) const {
  const auto found = groups.find(name);
  return found == groups.end() ? nullptr : &found->second;
}

std::optional<std::string> Policy::group_description(std::string_view name) const {
  const Group* group = find_group(name);
  if (group == nullptr) return std::nullopt;
  return group->description;
}

Status Policy::validate_group_exclusions(const Strings& excluded) const {
  Strings required;
  for (const std::string& name : excluded) {
    const Group* group = find_group(name);
    if (group != nullptr && group->required) required.push_back(cat("'", escape(name), "'"));
  }
  if (required.empty()) return {};
  return fail(ErrorKind::kConfigParse,
              cat("Configuration parse error: Cannot exclude required groups: ", join(required, ", ")),
              "Take these names off the exclusion list: required groups only deny.");
}

}  // namespace nono::policy
