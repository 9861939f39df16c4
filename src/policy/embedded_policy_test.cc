#include "policy/embedded_policy.h"

#include <gtest/gtest.h>

#include <set>

#include "policy/expand_path.h"
#include "policy/policy_document.h"

namespace nono::policy {
namespace {

const Environment kEnvironment{"/home/u", std::nullopt};

const Policy& embedded() {
  static const Policy policy = parse_policy(embedded_policy_json()).value();
  return policy;
}

Strings expanded(const Strings& paths) {
  Strings out;
  for (const std::string& path : paths) out.push_back(expand_path(path, kEnvironment).value());
  return out;
}

bool applies_to(const Group& group, std::string_view platform) {
  return !group.platform || *group.platform == platform;
}

bool equals_or_contains(std::string_view directory, std::string_view path) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

Strings granted(const Group& group) {
  const Allow allow = group.allow.value_or(Allow{});
  Strings all = expanded(allow.read);
  for (const Strings& more : {expanded(allow.write), expanded(allow.readwrite)}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

TEST(EmbeddedPolicy, HasTheGroupsThatCallersName) {
  const Strings expected{
      "claude_cache_linux", "claude_code_linux", "claude_code_macos", "codex_macos", "deny_browser_data_linux",
      "deny_browser_data_macos", "deny_credentials", "deny_keychains_linux", "deny_keychains_macos",
      "deny_macos_private", "deny_shell_configs", "deny_shell_history", "git_config", "go_runtime", "homebrew",
      "nix_runtime", "node_runtime", "opencode_linux", "python_runtime", "rust_runtime", "system_read_linux",
      "system_read_macos", "system_write_linux", "system_write_macos", "unlink_protection", "user_caches_linux",
      "user_caches_macos", "user_tools", "vscode_linux", "vscode_macos"};
  EXPECT_EQ(embedded().group_names(), expected);
  EXPECT_EQ(expected.size(), 30U);
}

TEST(EmbeddedPolicy, RequiresExactlyTheDenyGroups) {
  std::size_t required = 0;
  for (const auto& [name, group] : embedded().groups) {
    EXPECT_EQ(group.required, name.starts_with("deny_")) << name;
    required += group.required ? 1U : 0U;
    if (!group.required) continue;
    EXPECT_FALSE(group.allow || group.network) << name;
    EXPECT_FALSE(group.deny.value_or(Deny{}).access.empty()) << name;
  }
  EXPECT_EQ(required, 8U);
}

TEST(EmbeddedPolicy, EveryGroupIsOfOneKindAndExplained) {
  for (const auto& [name, group] : embedded().groups) {
    EXPECT_GT(group.description.size(), 40U) << name;
    EXPECT_NE(group.allow.has_value(), group.deny.has_value()) << name;
    const bool for_linux = name.ends_with("_linux");
    const bool for_macos = name.ends_with("_macos") || name == "deny_macos_private";
    EXPECT_EQ(group.platform.value_or(""), for_linux ? "linux" : for_macos ? "macos" : "") << name;
    const Deny deny = group.deny.value_or(Deny{});
    EXPECT_EQ(deny.unlink, name == "unlink_protection") << name;
    EXPECT_EQ(deny.unlink_override_for_user_writable, name == "unlink_protection") << name;
  }
}

TEST(EmbeddedPolicy, EveryPathIsAbsoluteOnceExpandedAndWrittenOnce) {
  for (const auto& [name, group] : embedded().groups) {
    Strings paths = granted(group);
    const Strings denied = expanded(group.deny.value_or(Deny{}).access);
    paths.insert(paths.end(), denied.begin(), denied.end());
    std::set<std::string_view> distinct;
    for (const std::string& path : paths) {
      EXPECT_TRUE(path.starts_with('/') && !path.ends_with('/')) << name << ": " << path;
      EXPECT_EQ(path.find("/../"), std::string::npos) << name << ": " << path;
      EXPECT_EQ(path.find_first_of("*?$"), std::string::npos) << name << ": " << path;
      const bool tmpdir_is_tmp = path == "/tmp";
      EXPECT_TRUE(distinct.insert(path).second || tmpdir_is_tmp) << name << ": " << path;
    }
  }
}

TEST(EmbeddedPolicy, NoGrantReachesWhatARequiredGroupDenies) {
  for (const std::string_view platform : {"linux", "macos"}) {
    for (const auto& [denier, required] : embedded().groups) {
      if (!required.required || !applies_to(required, platform)) continue;
      for (const std::string& denied : expanded(required.deny->access)) {
        for (const auto& [granter, group] : embedded().groups) {
          if (!applies_to(group, platform)) continue;
          for (const std::string& grant : granted(group)) {
            EXPECT_FALSE(equals_or_contains(grant, denied) || equals_or_contains(denied, grant))
                << granter << " grants " << grant << ", " << denier << " denies " << denied;
          }
        }
      }
    }
  }
}

// What the commonest stores of secrets are: a check that an edit loses none of them.
TEST(EmbeddedPolicy, DeniesTheCommonStoresOfSecrets) {
  Strings denied;
  for (const auto& [name, group] : embedded().groups) {
    if (!group.required || !applies_to(group, "linux")) continue;
    const Strings more = expanded(group.deny->access);
    denied.insert(denied.end(), more.begin(), more.end());
  }
  for (const std::string_view path :
       {"~/.ssh/id_ed25519", "~/.gnupg/private-keys-v1.d", "~/.aws/credentials", "~/.config/gcloud/credentials.db",
        "~/.kube/config", "~/.docker/config.json", "~/.config/containers/auth.json", "~/.config/gh/hosts.yml",
        "~/.config/hub", "~/.git-credentials", "~/.config/git/credentials", "~/.netrc", "~/.npmrc", "~/.pypirc",
        "~/.cargo/credentials", "~/.cargo/credentials.toml", "~/.gem/credentials", "~/.m2/settings.xml",
        "~/.gradle/gradle.properties", "~/.composer/auth.json", "~/.config/rclone/rclone.conf",
        "~/.config/sops/age/keys.txt", "~/.huggingface/token", "~/.cache/huggingface/token", "~/.fly/config.yml",
        "~/.config/doctl/config.yaml", "~/.pgpass", "~/.my.cnf", "~/.password-store/x.gpg",
        "~/.local/share/keyrings/login.keyring", "~/.mozilla/firefox/p/cookies.sqlite",
        "~/.config/google-chrome/Default/Cookies", "~/.config/Code/Cookies", "~/.bash_history", "~/.bashrc",
        "~/.config/systemd/user/x.service", "~/.config/autostart/x.desktop"}) {
    const std::string secret = expand_path(path, kEnvironment).value();
    bool covered = false;
    for (const std::string& entry : denied) covered = covered || equals_or_contains(entry, secret);
    EXPECT_TRUE(covered) << path;
  }
}

TEST(EmbeddedPolicy, GrantsNothingOfTheProcessThatResolvesIt) {
  for (const auto& [name, group] : embedded().groups) {
    for (const std::string& grant : granted(group)) {
      for (const std::string_view own : {"/proc/self", "/proc/thread-self", "/proc/mounts", "/proc/net", "/dev/fd",
                                         "/dev/stdin", "/dev/stdout", "/dev/stderr"}) {
        EXPECT_FALSE(equals_or_contains(own, grant) || equals_or_contains(grant, own)) << name << ": " << grant;
      }
    }
  }
}

TEST(EmbeddedPolicy, ProfilesNameGroupsAndBasesThatExist) {
  const auto* profiles = embedded().profiles.as<JsonValue::Object>();
  ASSERT_NE(profiles, nullptr);
  std::set<std::string_view> names;
  for (const auto& [name, profile] : *profiles) {
    names.insert(name);
    const JsonValue* base = profile.find("extends");
    EXPECT_TRUE(base == nullptr || embedded().profiles.find(*base->as<std::string>()) != nullptr) << name;
    const JsonValue* included = profile.find("groups")->find("include");
    for (const JsonValue& group : *included->as<JsonValue::Array>()) {
      EXPECT_NE(embedded().find_group(*group.as<std::string>()), nullptr) << name;
    }
  }
  for (const std::string_view name :
       {"default", "python-dev", "node-dev", "go-dev", "rust-dev", "claude-code", "codex", "opencode"}) {
    EXPECT_EQ(names.count(name), 1U) << name;
  }
}

TEST(EmbeddedPolicy, TheDefaultProfileHasEveryRequiredGroup) {
  std::set<std::string> included;
  for (const JsonValue& group :
       *embedded().profiles.find("default")->find("groups")->find("include")->as<JsonValue::Array>()) {
    included.insert(*group.as<std::string>());
  }
  for (const auto& [name, group] : embedded().groups) {
    EXPECT_TRUE(!group.required || included.count(name) == 1) << name;
  }
}

}  // namespace
}  // namespace nono::policy
