#include "capability/policy_groups.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/text.h"
#include "capability/test_directory.h"

namespace nono::capability {
namespace {

policy::Policy policy_of(const std::string& groups) {
  return policy::parse_policy(cat(R"({"groups": {)", groups, "}}")).value();
}

class PolicyGroups : public testing::Test {
 protected:
  [[nodiscard]] Result<GroupResolution> resolve(const std::string& groups,
                                                const std::vector<std::string>& names) const {
    return resolve_groups(policy_of(groups), names, base_, environment_);
  }
  [[nodiscard]] std::vector<std::string> texts(const CapabilitySet& set) const {
    std::vector<std::string> out;
    for (const FsCapability& grant : set.fs()) {
      out.push_back(cat(grant.to_string(), " ", grant.source.to_string(), grant.is_file ? " file" : " dir"));
    }
    return out;
  }

  TestDirectory dir_;
  std::string home_ = dir_.directory("home");
  policy::Environment environment_{home_, {}};
  CapabilitySet base_;
};

TEST_F(PolicyGroups, GrantsInTheOrderOfTheDocumentSkippingWhatIsMissing) {
  dir_.directory("home/a");
  dir_.directory("home/b");
  dir_.file("home/c");
  dir_.file("home/plain");
  const auto result = resolve(R"("tools": {"description": "d", "allow": {
      "readwrite": ["$HOME/a"], "write": ["~/b", "~/missing", "~/plain/below"], "read": ["~/c", "/dev/null"]}})",
                              {"tools"});
  ASSERT_TRUE(result);
  EXPECT_EQ(texts(result->capabilities), (std::vector<std::string>{
                                             home_ + "/c (read) group:tools file",
                                             "/dev/null (read) group:tools file",
                                             home_ + "/b (write) group:tools dir",
                                             home_ + "/a (read+write) group:tools dir",
                                         }));
  EXPECT_EQ(result->resolved.names, std::vector<std::string>{"tools"});
  EXPECT_TRUE(result->resolved.deny_paths.empty());
  EXPECT_FALSE(result->resolved.needs_unlink_overrides);
  EXPECT_FALSE(result->capabilities.is_network_blocked());
}

TEST_F(PolicyGroups, AddsToTheGivenSet) {
  ASSERT_TRUE(base_.allow_path(home_, AccessMode::kRead));
  base_.allow_bind_port(80);
  const auto result = resolve(R"("g": {"description": "d", "allow": {"read": ["~"]}})", {"g"});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->capabilities.fs().size(), 2U);
  EXPECT_EQ(result->capabilities.bind_ports().size(), 1U);
  EXPECT_EQ(base_.fs().size(), 1U);
}

TEST_F(PolicyGroups, OtherPlatformsAreSkippedEvenTheirErrors) {
  const auto result = resolve(R"(
      "mac": {"description": "d", "platform": "macos", "allow": {"read": ["~"]}, "network": {"block": true},
              "deny": {"access": ["~/x"], "unlink_override_for_user_writable": true}},
      "linux": {"description": "d", "platform": "linux"},
      "odd": {"description": "d", "platform": "Linux", "allow": {"read": ["~"]}},
      "any": {"description": "d"})",
                              {"any", "mac", "odd", "linux", "any"});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->resolved.names, (std::vector<std::string>{"any", "linux", "any"}));
  EXPECT_TRUE(result->capabilities.fs().empty());
  EXPECT_TRUE(result->resolved.deny_paths.empty());
  EXPECT_FALSE(result->capabilities.is_network_blocked());
}

TEST_F(PolicyGroups, DenyPathsComeWithTheirCanonicalForm) {
  dir_.directory("home/real");
  dir_.link("home/link", "real");
  const auto result = resolve(R"("d": {"description": "d", "deny": {
      "access": ["~/real", "~/link", "~/link/new", "~/absent"], "unlink": true,
      "unlink_override_for_user_writable": true}})",
                              {"d"});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->resolved.deny_paths,
            (std::vector<std::string>{home_ + "/real", home_ + "/link", home_ + "/real", home_ + "/link/new",
                                      home_ + "/real/new", home_ + "/absent"}));
  EXPECT_TRUE(result->resolved.needs_unlink_overrides);
  EXPECT_TRUE(result->capabilities.fs().empty());
}

TEST_F(PolicyGroups, AnyNetworkSettingButBlockFalseBlocks) {
  struct Case {
    std::string network;
    bool blocked;
  };
  for (const Case& c : std::vector<Case>{
           {R"({})", false},
           {R"({"block": false})", false},
           {R"({"block": true})", true},
           {R"({"allow_domain": ["a.example"]})", true},
           {R"({"credentials": ["x"]})", true},
           {R"({"upstream_proxy": "proxy:3128"})", true},
           {R"({"upstream_bypass": ["x"]})", true},
           {R"({"max_connections": 3})", true},
           {R"({"block": false, "max_connections": 3})", true},
       }) {
    const auto result = resolve(cat(R"("n": {"description": "d", "network": )", c.network, "}"), {"n"});
    ASSERT_TRUE(result) << c.network;
    EXPECT_EQ(result->capabilities.is_network_blocked(), c.blocked) << c.network;
  }
}

TEST_F(PolicyGroups, AnErrorLeavesNothingBehind) {
  ASSERT_TRUE(base_.allow_path(home_, AccessMode::kRead));
  const std::string before = base_.summary();
  const std::string good = R"("good": {"description": "d", "allow": {"read": ["~"]}, "network": {"block": true}},)";

  const auto unknown = resolve(good + R"("x": {"description": "d"})", {"good", "no\nsuch"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kConfigParse);
  EXPECT_EQ(unknown.error().message, "Configuration parse error: Unknown policy group: 'no\\nsuch'");

  environment_.home.reset();
  for (const std::string rule : {R"("allow": {"readwrite": ["~/x"]})", R"("deny": {"access": ["$HOME/x"]})"}) {
    const auto unset = resolve(cat(R"("good": {"description": "d", "network": {"block": true}},
        "x": {"description": "d", )", rule, "}"), {"good", "x"});
    ASSERT_FALSE(unset);
    EXPECT_EQ(unset.error().message, "Configuration parse error: HOME is not set");
  }
  EXPECT_EQ(base_.summary(), before);
}

TEST_F(PolicyGroups, RunningOutOfDescriptorsIsAnErrorNotAMissingPath) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const policy::Policy policy = policy_of(R"("g": {"description": "d", "allow": {"read": ["~"]}})");
  const rlimit none{3, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto result = resolve_groups(policy, {"g"}, base_, environment_);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kIo);
}

TEST_F(PolicyGroups, TheEnvironmentIsReadWhenAsked) {
  const char* home = ::getenv("HOME");
  const std::string saved = home == nullptr ? "" : home;
  ::setenv("HOME", "/somewhere", 1);
  ::unsetenv("TMPDIR");
  EXPECT_EQ(current_environment().home, "/somewhere");
  EXPECT_EQ(current_environment().tmpdir, std::nullopt);
  ::setenv("TMPDIR", "", 1);
  EXPECT_EQ(current_environment().tmpdir, "");
  ::unsetenv("TMPDIR");
  if (home == nullptr) ::unsetenv("HOME");
  else ::setenv("HOME", saved.c_str(), 1);
}

}  // namespace
}  // namespace nono::capability
