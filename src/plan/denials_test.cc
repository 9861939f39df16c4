#include "plan/denials.h"

#include <gtest/gtest.h>

#include "plan/explain.h"
#include "plan/plan.h"

namespace nono::plan {
namespace {

using capability::AccessMode;
using capability::CapabilitySet;
using Paths = std::vector<std::string>;

CapabilitySet set_with(const Paths& writable, const Paths& denied) {
  CapabilitySet set;
  EXPECT_TRUE(set.allow_path("/usr", AccessMode::kRead));
  for (const auto& path : writable) EXPECT_TRUE(set.allow_path(path, AccessMode::kReadWrite));
  for (const auto& path : denied) EXPECT_TRUE(set.deny_path(path));
  return set;
}

kernel::HostFacts facts(bool view) {
  kernel::HostFacts host;
  host.landlock_abi = 7;
  host.seccomp_filter = true;
  host.private_view = view;
  host.private_view_error = view ? "" : "clone: Operation not permitted (os error 1)";
  host.uid = 1000;
  return host;
}

TEST(Denials, WhatNoGrantCoversNeedsNothing) {
  const auto covers = covers_for(set_with({"/tmp"}, {"/etc/shadow", "/tmpfile"}));
  ASSERT_TRUE(covers);
  EXPECT_TRUE(covers->covered.empty());
  EXPECT_TRUE(covers->pinned.empty());
  const auto plan = make_plan(set_with({"/tmp"}, {"/etc/shadow"}), facts(false));
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->view);
}

TEST(Denials, DirectoriesBetweenAWritableGrantAndADenialArePinnedOutermostFirst) {
  const auto covers = covers_for(set_with({"/tmp", "/tmp"}, {"/tmp/a/b/c/key", "/tmp/a/x"}));
  ASSERT_TRUE(covers);
  EXPECT_EQ(covers->covered, (Paths{"/tmp/a/x", "/tmp/a/b/c/key"}));
  EXPECT_EQ(covers->pinned, (Paths{"/tmp/a", "/tmp/a/b", "/tmp/a/b/c"}));
}

TEST(Denials, BelowAReadOnlyGrantNothingHasToBePinned) {
  const auto covers = covers_for(set_with({}, {"/usr/share/doc", "/usr/bin/env"}));
  ASSERT_TRUE(covers);
  EXPECT_EQ(covers->covered.size(), 2U);
  EXPECT_TRUE(covers->pinned.empty());
}

TEST(Denials, ADenialInsideADeniedDirectoryAndASecondOneAddNothing) {
  const auto covers = covers_for(set_with({"/tmp"}, {"/tmp/s/inner", "/tmp/s", "/tmp/s", "/tmp/s2"}));
  ASSERT_TRUE(covers);
  EXPECT_EQ(covers->covered, (Paths{"/tmp/s", "/tmp/s2"}));
}

TEST(Denials, TheGrantItselfCanBeDenied) {
  const auto covers = covers_for(set_with({"/tmp"}, {"/tmp"}));
  ASSERT_TRUE(covers);
  EXPECT_EQ(covers->covered, Paths{"/tmp"});
}

TEST(Denials, WhatAViewCannotDoIsRefusedByName) {
  const auto message = [](const CapabilitySet& set) {
    const auto covers = covers_for(set);
    return covers ? std::string("no refusal") : covers.error().message;
  };
  EXPECT_NE(message(set_with({"/"}, {"/"})).find("denial of / leaves nothing"), std::string::npos);
  EXPECT_NE(message(set_with({"/"}, {"/proc/sys"})).find("denial of /proc/sys cannot be enforced"), std::string::npos);
  EXPECT_NE(message(set_with({"/", "/usr/share"}, {"/usr"})).find("the grant /usr/share lies inside it"), std::string::npos)
      << message(set_with({"/", "/usr/share"}, {"/usr"}));
}

TEST(Denials, TakeAViewOrARefusal) {
  const CapabilitySet set = set_with({"/tmp"}, {"/tmp/secret"});
  const auto with_view = make_plan(set, facts(true));
  ASSERT_TRUE(with_view);
  ASSERT_TRUE(with_view->view);
  EXPECT_EQ(with_view->view->covered, Paths{"/tmp/secret"});

  Options process;
  process.isolation = Isolation::kProcess;
  Options own;
  own.subject = Subject::kThisProcess;
  for (const auto& [host, options] : {std::pair{facts(false), Options{}}, {facts(true), process}, {facts(true), own}}) {
    const auto refused = make_plan(set, host, options);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("/tmp/secret"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find("mount view"), std::string::npos);
    EXPECT_FALSE(refused.error().hint.empty());
  }
}

TEST(Denials, AskForNamespaceFactsOnlyWhereTheyMatter) {
  Options process;
  process.isolation = Isolation::kProcess;
  EXPECT_FALSE(asks_for_view(set_with({"/tmp"}, {}), facts(true), {}));
  EXPECT_TRUE(asks_for_view(set_with({"/tmp"}, {"/tmp/secret"}), facts(true), {}));
  EXPECT_FALSE(asks_for_view(set_with({"/tmp"}, {"/tmp/secret"}), facts(true), process));
}

TEST(Denials, BeatEveryGrantInExplanations) {
  const CapabilitySet set = set_with({"/tmp"}, {"/usr/share"});
  const auto said = [&](const char* path) {
    return explain_path(set.fs(), set.denials(), capability::ancestry_of(path), AccessMode::kRead);
  };
  EXPECT_TRUE(said("/usr/bin").allowed());
  EXPECT_EQ(said("/usr/share").reason, PathAnswer::Reason::kDeniedPath);
  EXPECT_EQ(said("/usr/share/doc").denied_path, "/usr/share");
  EXPECT_EQ(said("/etc").reason, PathAnswer::Reason::kPathNotGranted);
}

// --- which one closes a place ---------------------------------------------------------------------------

std::string closing(const CapabilitySet& set, const std::string& place, Use use = Use::kRead) {
  const capability::Denial* denial = denial_of(set.fs(), set.denials(), place, use);
  return denial == nullptr ? "" : denial->resolved;
}

TEST(Denials, ALiteralClosesAllBelowItForEveryUse) {
  const CapabilitySet set = set_with({"/tmp"}, {"/tmp/none/here"});
  for (const Use use : {Use::kRead, Use::kChange}) {
    EXPECT_EQ(closing(set, "/tmp/none/here", use), "/tmp/none/here");
    EXPECT_EQ(closing(set, "/tmp/NONE/here/x", use), "/tmp/none/here");
    EXPECT_EQ(closing(set, "/tmp/none", use), "");
  }
}

TEST(Denials, OfChangesLeaveReadingAlone) {
  capability::DenialList denials;
  denials.add(capability::Denial::literal("/tmp/x", capability::Closes::kChanges));
  const CapabilitySet set = set_with({"/tmp"}, {});
  EXPECT_EQ(denial_of(set.fs(), denials, "/tmp/x", Use::kRead), nullptr);
  EXPECT_NE(denial_of(set.fs(), denials, "/tmp/x/y", Use::kChange), nullptr);
}

TEST(Denials, AGrantInsideADeniedDirectoryBeatsIt) {
  CapabilitySet set = set_with({"/"}, {"/usr"});
  ASSERT_TRUE(set.allow_path("/usr/share", AccessMode::kRead));
  const std::string share = capability::canonicalize("/usr/share").value_or("");
  EXPECT_EQ(closing(set, "/usr/lib"), "/usr");
  EXPECT_EQ(closing(set, share), "");
  EXPECT_EQ(closing(set, share + "/doc"), "");
  EXPECT_EQ(closing(set, share + "/doc", Use::kChange), "/usr") << "the grant around it is no grant inside";
  const auto* beaten = beaten_denial(set.fs(), set.denials(), share + "/doc", Use::kRead);
  ASSERT_NE(beaten, nullptr);
  EXPECT_EQ(beaten->resolved, "/usr");
  EXPECT_EQ(beaten_denial(set.fs(), set.denials(), "/tmp", Use::kRead), nullptr);
  ASSERT_TRUE(set.deny_path("/usr/share/doc"));
  EXPECT_EQ(closing(set, share + "/doc/x"), share + "/doc") << "a denial inside that grant holds";
}

TEST(Denials, AGrantOfTheVeryPathBeatsAPatternAndNoLiteral) {
  EXPECT_EQ(closing(set_with({"/tmp"}, {"/tmp"}), "/tmp/x"), "/tmp");
  EXPECT_EQ(closing(set_with({"/tmp"}, {"**/tmp"}), "/tmp/x"), "");
  EXPECT_EQ(closing(set_with({"/tmp"}, {"**/tmp"}), "/tmp/a/tmp/x"), "**/tmp") << "that one is not named by the grant";
  EXPECT_EQ(closing(set_with({"/"}, {"**/tmp"}), "/tmp/x"), "**/tmp");
  capability::Denial denial = capability::Denial::literal("/tmp", capability::Closes::kChanges);
  denial.protected_by = "git";
  capability::DenialList denials;
  denials.add(denial);
  const CapabilitySet set = set_with({"/tmp"}, {});
  EXPECT_EQ(denial_of(set.fs(), denials, "/tmp/x", Use::kChange), nullptr);
}

TEST(Denials, PinTheDirectoriesThatLeadToThem) {
  const CapabilitySet set = set_with({"/tmp"}, {"**/.git/hooks", "/tmp/a/b"});
  const auto pin = [&](const char* place) {
    const capability::Denial* denial = pinned_by(set.denials(), place);
    return denial == nullptr ? std::string() : denial->resolved;
  };
  EXPECT_EQ(pin("/tmp/x/.git"), "**/.git/hooks");
  EXPECT_EQ(pin("/tmp/a"), "/tmp/a/b");
  EXPECT_EQ(pin("/tmp/a/b"), "");
  EXPECT_EQ(pin("/tmp/x"), "");
}

TEST(Denials, OfNoPathAreRefused) {
  CapabilitySet set;
  EXPECT_FALSE(set.deny_path(""));
  EXPECT_FALSE(set.deny_path(std::string("/tmp\0x", 6)));
  EXPECT_TRUE(set.denials().empty());
}

}  // namespace
}  // namespace nono::plan
