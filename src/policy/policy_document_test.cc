#include "policy/policy_document.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace nono::policy {
namespace {

std::string refusal(std::string_view json) {
  const Result<Policy> policy = parse_policy(json);
  if (policy) return "accepted";
  EXPECT_EQ(policy.error().kind, ErrorKind::kConfigParse);
  constexpr std::string_view kPrefix = "Configuration parse error: Failed to parse policy.json: ";
  EXPECT_TRUE(policy.error().message.starts_with(kPrefix)) << policy.error().message;
  return policy.error().message.substr(kPrefix.size());
}

// The members of one level, inside the smallest document that contains it.
std::string in_group(std::string_view members) {
  return cat(R"({"groups": {"g": {"description": "d")", members.empty() ? "" : ", ", members, "}}}");
}
std::string in_network(std::string_view members) {
  return in_group(cat(R"("network": {)", members, "}"));
}
std::string in_route(std::string_view members) {
  return in_network(cat(R"("custom_credentials": {"r": {"prefix": "p", "upstream": "https://u", )",
                        members, "}}"));
}

const Group& only_group(const Result<Policy>& policy) { return policy->groups.begin()->second; }

TEST(ParsePolicy, DefaultsOfTheSmallestDocument) {
  const auto policy = parse_policy(R"({"groups": {}})");
  ASSERT_TRUE(policy);
  EXPECT_EQ(*policy, Policy{});
  const auto one = parse_policy(in_group(""));
  ASSERT_TRUE(one);
  Group expected;
  expected.description = "d";
  EXPECT_EQ(only_group(one), expected);
  EXPECT_FALSE(only_group(one).required);
}

TEST(ParsePolicy, ReadsEveryField) {
  const auto policy = parse_policy(R"({
    "meta": {"version": 4294967295, "schema_version": "2.0"},
    "groups": {"g": {
      "description": "d", "platform": "linux", "required": true,
      "allow": {"read": ["/r"], "write": ["/w"], "readwrite": ["/rw", "/rw2"]},
      "deny": {"access": ["/x"], "unlink": true, "unlink_override_for_user_writable": true},
      "symlink_pairs": {"/etc": "/private/etc"},
      "network": {
        "block": true, "allow_domain": ["a.example"], "credentials": ["c"],
        "custom_credentials": {"r": {
          "prefix": "p", "upstream": "https://u", "credential_key": "k", "inject_mode": "query_param",
          "inject_header": "X-Key", "credential_format": "{}", "path_pattern": "/a", "path_replacement": "/b",
          "query_param_name": "q", "env_var": "E", "endpoint_rules": [{"method": "GET", "path": "/v1"}],
          "tls_ca": "/ca", "tls_client_cert": "/cert", "tls_client_key": "/key"}},
        "upstream_proxy": "h:1", "upstream_bypass": ["b"], "max_connections": 7}}},
    "profiles": {"p": [1]}})");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->meta, (Meta{4294967295U, "2.0"}));
  ASSERT_NE(policy->profiles.find("p"), nullptr);

  Route route{"p", "https://u", "k", InjectMode::kQueryParam, "X-Key", "{}", "/a", "/b", "q", "E",
              {{"GET", "/v1"}}, "/ca", "/cert", "/key"};
  Network network{true, Strings{"a.example"}, {"c"}, {{"r", route}}, "h:1", {"b"}, 7};
  Group expected{"d", "linux", true, Allow{{"/r"}, {"/w"}, {"/rw", "/rw2"}}, Deny{{"/x"}, true, true},
                 Named<std::string>{{"/etc", "/private/etc"}}, network};
  EXPECT_EQ(only_group(policy), expected);
}

TEST(ParsePolicy, RouteDefaults) {
  const auto policy = parse_policy(in_route(R"("endpoint_rules": [])"));
  ASSERT_TRUE(policy);
  Route expected;
  expected.prefix = "p";
  expected.upstream = "https://u";
  EXPECT_EQ(only_group(policy).network->custom_credentials.at("r"), expected);
}

TEST(ParsePolicy, NullMeansAbsentWhereItIsAllowed) {
  EXPECT_EQ(parse_policy(R"({"meta": null, "groups": {}, "profiles": null})").value(), Policy{});
  for (const auto& text :
       {in_group(R"("platform": null, "allow": null, "deny": null, "symlink_pairs": null, "network": null)"),
        in_network(R"("upstream_proxy": null, "max_connections": null)"),
        in_route(R"("credential_key": null, "inject_header": null, "credential_format": null, "path_pattern": null,
                    "path_replacement": null, "query_param_name": null, "env_var": null, "tls_ca": null,
                    "tls_client_cert": null, "tls_client_key": null)")}) {
    EXPECT_EQ(refusal(text), "accepted") << text;
  }
}

TEST(ParsePolicy, NullIsAWrongTypeElsewhere) {
  EXPECT_EQ(refusal(R"({"groups": null})"), "invalid type: null, expected an object at groups");
  for (const auto& text :
       {in_group(R"("required": null)"), in_group(R"("allow": {"read": null})"), in_group(R"("deny": {"unlink": null})"),
        in_network(R"("block": null)"), in_network(R"("allow_domain": null)"), in_network(R"("credentials": null)"),
        in_network(R"("custom_credentials": null)"), in_network(R"("upstream_bypass": null)"),
        in_route(R"("inject_mode": null)"), in_route(R"("endpoint_rules": null)")}) {
    EXPECT_TRUE(refusal(text).starts_with("invalid type: null, expected ")) << text << refusal(text);
  }
}

TEST(ParsePolicy, NamesAnUnknownKeyAtEveryLevel) {
  EXPECT_EQ(refusal(R"({"groups": {}, "group": {}})"),
            "unknown field `group`, expected one of `meta`, `groups`, `profiles` at the top level");
  EXPECT_EQ(refusal(R"({"groups": {}, "meta": {"versoin": 1}})"),
            "unknown field `versoin`, expected one of `version`, `schema_version` at meta");
  EXPECT_TRUE(refusal(in_group(R"("denied": {})"))
                  .starts_with("unknown field `denied`, expected one of `description`, `platform`, "));
  EXPECT_EQ(refusal(in_group(R"("allow": {"execute": []})")),
            "unknown field `execute`, expected one of `read`, `write`, `readwrite` at groups.g.allow");
  EXPECT_TRUE(refusal(in_group(R"("deny": {"read": []})")).ends_with(" at groups.g.deny"));
  EXPECT_TRUE(refusal(in_network(R"("blocked": true)")).starts_with("unknown field `blocked`, "));
  EXPECT_TRUE(refusal(in_network(R"("blocked": true)")).ends_with(" at groups.g.network"));
  EXPECT_TRUE(refusal(in_route(R"("oauth2": {})")).starts_with("unknown field `oauth2`, "));
  EXPECT_TRUE(refusal(in_route(R"("oauth2": {})")).ends_with(" at groups.g.network.custom_credentials.r"));
  EXPECT_EQ(refusal(in_route(R"("endpoint_rules": [{"method": "GET", "path": "/", "host": "h"}])")),
            "unknown field `host`, expected one of `method`, `path` at "
            "groups.g.network.custom_credentials.r.endpoint_rules[0]");
  EXPECT_EQ(refusal(R"({"groups": {}, "": 1})").substr(0, 17), "unknown field ``,");
  EXPECT_EQ(refusal(R"({"groups": {}, "\u001b[2J": 1})").substr(0, 24), "unknown field `\\x1b[2J`,");
}

TEST(ParsePolicy, NamesAMissingKey) {
  EXPECT_EQ(refusal("{}"), "missing field `groups` at the top level");
  EXPECT_EQ(refusal(R"({"groups": {"g": {}}})"), "missing field `description` at groups.g");
  EXPECT_EQ(refusal(in_network(R"("custom_credentials": {"r": {"prefix": "p"}})")),
            "missing field `upstream` at groups.g.network.custom_credentials.r");
  EXPECT_EQ(refusal(in_route(R"("endpoint_rules": [{"method": "GET"}])")),
            "missing field `path` at groups.g.network.custom_credentials.r.endpoint_rules[0]");
}

TEST(ParsePolicy, AliasesMeanTheSame) {
  for (const std::string_view key : {"allow_domain", "allow_proxy", "proxy_allow"}) {
    const auto policy = parse_policy(in_network(cat('"', key, R"(": ["h"])")));
    ASSERT_TRUE(policy) << key;
    EXPECT_EQ(only_group(policy).network->allow_domain, Strings{"h"});
  }
  const auto policy = parse_policy(in_network(R"("external_proxy": "h:1", "external_proxy_bypass": ["b"])"));
  ASSERT_TRUE(policy);
  EXPECT_EQ(only_group(policy).network->upstream_proxy, "h:1");
  EXPECT_EQ(only_group(policy).network->upstream_bypass, Strings{"b"});
}

TEST(ParsePolicy, KeyAndAliasTogetherAreADuplicate) {
  EXPECT_EQ(refusal(in_network(R"("allow_domain": [], "allow_proxy": [])")),
            "duplicate field `allow_domain` at groups.g.network");
  EXPECT_EQ(refusal(in_network(R"("allow_proxy": [], "proxy_allow": [])")),
            "duplicate field `allow_domain` at groups.g.network");
  EXPECT_EQ(refusal(in_network(R"("external_proxy": null, "upstream_proxy": null)")),
            "duplicate field `upstream_proxy` at groups.g.network");
  EXPECT_EQ(refusal(in_network(R"("upstream_bypass": [], "external_proxy_bypass": [])")),
            "duplicate field `upstream_bypass` at groups.g.network");
  EXPECT_EQ(refusal(R"({"groups": {"g": {"description": "a"}, "g": {"description": "b"}}})"),
            "duplicate field `g` at groups");
}

TEST(ParsePolicy, NamesTheKeyAndTheWantedType) {
  EXPECT_TRUE(refusal("not json").starts_with("syntax error while parsing value"));
  EXPECT_EQ(refusal("[]"), "invalid type: an array, expected an object at the top level");
  EXPECT_EQ(refusal("null"), "invalid type: null, expected an object at the top level");
  EXPECT_EQ(refusal(R"({"groups": []})"), "invalid type: an array, expected an object at groups");
  EXPECT_EQ(refusal(R"({"groups": {"g": 1}})"), "invalid type: an integer, expected an object at groups.g");
  EXPECT_EQ(refusal(in_group(R"("required": "yes")")),
            "invalid type: a string, expected a boolean at groups.g.required");
  EXPECT_EQ(refusal(in_group(R"("allow": {"read": "/r"})")),
            "invalid type: a string, expected an array at groups.g.allow.read");
  EXPECT_EQ(refusal(in_group(R"("allow": {"read": ["/a", 2]})")),
            "invalid type: an integer, expected a string at groups.g.allow.read[1]");
  EXPECT_EQ(refusal(in_group(R"("symlink_pairs": {"/a": {}})")),
            "invalid type: an object, expected a string at groups.g.symlink_pairs./a");
  EXPECT_EQ(refusal(in_network(R"("max_connections": -1)")),
            "invalid type: an integer, expected a non-negative integer at groups.g.network.max_connections");
  EXPECT_EQ(refusal(in_network(R"("max_connections": 1.0)")),
            "invalid type: a number, expected a non-negative integer at groups.g.network.max_connections");
  EXPECT_EQ(refusal(R"({"groups": {}, "meta": {"version": 4294967296}})"),
            "invalid type: an integer, expected an integer from 0 to 4294967295 at meta.version");
  EXPECT_EQ(refusal(in_route(R"("inject_mode": "cookie")")),
            "unknown variant `cookie`, expected one of `header`, `url_path`, `query_param`, `basic_auth` at "
            "groups.g.network.custom_credentials.r.inject_mode");
}

TEST(ParsePolicy, RefusesNulInPaths) {
  EXPECT_EQ(refusal(in_group(R"("deny": {"access": ["/a\u0000b"]})")),
            "NUL character in a string at groups.g.deny.access[0]");
}

TEST(Network, AnEmptyHostListStillConfiguresTheProxy) {
  EXPECT_FALSE(only_group(parse_policy(in_network(R"("block": false)"))).network->configures_proxy());
  for (const std::string_view member :
       {R"("allow_domain": [])", R"("credentials": ["c"])", R"("upstream_proxy": "h:1")",
        R"("upstream_bypass": ["b"])", R"("max_connections": 0)"}) {
    EXPECT_TRUE(only_group(parse_policy(in_network(member))).network->configures_proxy()) << member;
  }
  EXPECT_TRUE(only_group(parse_policy(in_route(R"("env_var": "E")"))).network->configures_proxy());
}

TEST(Policy, AnswersAboutItsGroups) {
  const auto policy = parse_policy(R"({"groups": {
    "b": {"description": "second", "required": true}, "a": {"description": "first"}, "c": {"description": "", "required": true}}})");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->group_names(), (Strings{"a", "b", "c"}));
  EXPECT_EQ(policy->group_description("a"), "first");
  EXPECT_EQ(policy->group_description("c"), "");
  EXPECT_EQ(policy->group_description("d"), std::nullopt);
  EXPECT_TRUE(policy->validate_group_exclusions({"a", "unknown"}));
  const Status excluded = policy->validate_group_exclusions({"c", "a", "b"});
  ASSERT_FALSE(excluded);
  EXPECT_EQ(excluded.error().kind, ErrorKind::kConfigParse);
  EXPECT_EQ(excluded.error().message, "Configuration parse error: Cannot exclude required groups: 'c', 'b'");
}

}  // namespace
}  // namespace nono::policy
