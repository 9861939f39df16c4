// Policy: a policy document as values, exactly what its author wrote and nothing resolved yet.
//
// parse_policy reads the JSON of an author who may be a stranger (a project's own policy file):
// every level refuses keys it does not know, so a misspelt `deny` cannot pass as no deny. Paths
// are unexpanded text (expand_path.h), platforms and groups are not yet chosen: that is
// capability/. Values: copyable, comparable, free to share between threads once built.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/strict_json.h"

namespace nono::policy {

template <class T>
using Named = std::map<std::string, T, std::less<>>;
using Strings = std::vector<std::string>;

// Where the proxy puts a credential into a request.
enum class InjectMode { kHeader, kUrlPath, kQueryParam, kBasicAuth };

struct Meta {
  std::uint32_t version = 0;
  std::optional<std::string> schema_version;
  bool operator==(const Meta&) const = default;
};

struct Allow {
  Strings read;
  Strings write;
  Strings readwrite;
  bool operator==(const Allow&) const = default;
};

struct Deny {
  Strings access;
  bool unlink = false;
  bool unlink_override_for_user_writable = false;
  bool operator==(const Deny&) const = default;
};

struct EndpointRule {
  std::string method;
  std::string path;
  bool operator==(const EndpointRule&) const = default;
};

struct Route {
  std::string prefix;
  std::string upstream;
  std::optional<std::string> credential_key;
  InjectMode inject_mode = InjectMode::kHeader;
  std::optional<std::string> inject_header;      // absent: "Authorization"
  std::optional<std::string> credential_format;  // absent: "Bearer {}" for that header
  std::optional<std::string> path_pattern;
  std::optional<std::string> path_replacement;
  std::optional<std::string> query_param_name;
  std::optional<std::string> env_var;
  std::vector<EndpointRule> endpoint_rules;
  std::optional<std::string> tls_ca;
  std::optional<std::string> tls_client_cert;
  std::optional<std::string> tls_client_key;
  bool operator==(const Route&) const = default;
};

struct Network {
  bool block = false;
  std::optional<Strings> allow_domain;  // absent: not said; empty: no host at all
  Strings credentials;
  Named<Route> custom_credentials;
  std::optional<std::string> upstream_proxy;
  Strings upstream_bypass;
  std::optional<std::uint64_t> max_connections;
  bool operator==(const Network&) const = default;

  // Any setting but `block`: the direct network is closed and a proxy decides.
  [[nodiscard]] bool configures_proxy() const;
};

struct Group {
  std::string description;
  std::optional<std::string> platform;  // "linux", "macos"; absent: every platform
  bool required = false;
  std::optional<Allow> allow;
  std::optional<Deny> deny;
  std::optional<Named<std::string>> symlink_pairs;
  std::optional<Network> network;
  bool operator==(const Group&) const = default;
};

struct Policy {
  std::optional<Meta> meta;
  Named<Group> groups;
  JsonValue profiles;  // opaque here; null if the document has none
  bool operator==(const Policy&) const = default;

  [[nodiscard]] Strings group_names() const;  // sorted
  [[nodiscard]] const Group* find_group(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> group_description(std::string_view name) const;
  // kConfigParse if a required group is among them; unknown names are ignored.
  [[nodiscard]] Status validate_group_exclusions(const Strings& excluded) const;
};

[[nodiscard]] Result<Policy> parse_policy(std::string_view json);

}  // namespace nono::policy
