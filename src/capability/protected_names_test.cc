#include "capability/protected_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "capability/capability_set.h"

namespace nono::capability {
namespace {

using Names = std::vector<std::string>;

ProtectedNames all() {
  ProtectedNames names;
  EXPECT_TRUE(names.add("all"));
  return names;
}

bool closes(const std::string& place) {
  const auto rules = all().rules();
  return std::ranges::any_of(*rules, [&](const Denial& denial) { return denial.covers(place); });
}

TEST(ProtectedNames, AreNoneUntilSomebodyAsks) {
  ProtectedNames names;
  EXPECT_TRUE(names.empty());
  EXPECT_EQ(names.rules(), nullptr);
  ASSERT_TRUE(names.add("agents"));
  ASSERT_TRUE(names.add("git"));
  EXPECT_EQ(names.names(), (Names{"git", "agents"}));
  ASSERT_TRUE(names.remove("git"));
  EXPECT_EQ(names.names(), Names{"agents"});
  ASSERT_TRUE(names.remove("all"));
  EXPECT_TRUE(names.empty());
}

TEST(ProtectedNames, UnknownOnesAreRefusedWithTheKnown) {
  ProtectedNames names;
  const Status unknown = names.add("hooks");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(unknown.error().message, "Unknown protected name: hooks");
  EXPECT_EQ(unknown.error().hint, "Known are git, direnv, editors, agents, shell, login, packages, venv and all.");
  EXPECT_FALSE(names.remove(""));
  EXPECT_TRUE(names.empty());
  CapabilitySet set;
  EXPECT_FALSE(set.protect({"git", "nothing"}));
  EXPECT_TRUE(set.protected_names().empty()) << "all or nothing";
}

TEST(ProtectedNames, EachHasRulesThatCloseChangesOnly) {
  const auto rules = all().rules();
  std::set<std::string> seen;
  for (const Denial& denial : *rules) {
    EXPECT_EQ(denial.closes, Closes::kChanges) << denial.resolved;
    EXPECT_TRUE(denial.is_pattern()) << denial.resolved;
    EXPECT_EQ(denial.base(), "/");
    EXPECT_EQ(denial.unless_made, denial.protected_by == "git" || denial.protected_by == "venv") << denial.resolved;
    seen.insert(denial.protected_by);
  }
  const Names known = ProtectedNames::known();
  EXPECT_EQ(seen, std::set<std::string>(known.begin(), known.end()));
}

TEST(ProtectedNames, AreMadeOnceForEachChoice) {
  ProtectedNames one;
  ProtectedNames two;
  ASSERT_TRUE(one.add("git"));
  ASSERT_TRUE(two.add("git"));
  EXPECT_EQ(one.rules(), two.rules());
  ASSERT_TRUE(two.add("venv"));
  EXPECT_NE(one.rules(), two.rules());
}

TEST(ProtectedNames, AreWhatSomebodyOutsideTrustsAndNothingElse) {
  for (const char* place :
       {"/w/.git/config", "/w/a/.git/hooks/pre-commit", "/w/.GIT/Config", "/w/.git/modules/a/b/config", "/w/.git/worktrees/x/commondir",
        "/w/.envrc", "/w/.vscode/tasks.json", "/w/.idea/workspace.xml", "/w/.claude/settings.json", "/w/.mcp.json", "/h/.bashrc",
        "/h/.config/fish/config.fish", "/h/.config/autostart/x.desktop", "/h/.local/bin/x", "/h/.ssh/authorized_keys", "/w/.npmrc",
        "/w/.venv/bin/python3", "/w/venv/bin/activate.fish", "/w/.venv/pyvenv.cfg"}) {
    EXPECT_TRUE(closes(place)) << place;
  }
  for (const char* place :
       {"/w/.git", "/w/.git/objects/00", "/w/.git/index", "/w/.git/refs/heads/main", "/w/.git/worktrees/x/HEAD", "/w/.gitignore", "/w/.vscode",
        "/w/.vscode/extensions.json", "/h/.config/x", "/h/.local/share", "/w/.venv/bin/pip", "/w/.venv/lib/x.py", "/w/Makefile", "/w/config"}) {
    EXPECT_FALSE(closes(place)) << place;
  }
}

}  // namespace
}  // namespace nono::capability
