#include "plan/denials.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "capability/test_directory.h"
#include "plan/explain.h"
#include "plan/plan.h"
#include "plan/record.h"

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

kernel::HostFacts facts(bool view, bool supervisor = false) {
  kernel::HostFacts host;
  host.user_notification = supervisor;
  host.landlock_abi = 7;
  host.seccomp_filter = true;
  host.private_view = view;
  host.private_view_error = view ? "" : "clone: Operation not permitted (os error 1)";
  host.uid = 1000;
  return host;
}

Result<Covers> covers_of(const CapabilitySet& set) {
  Enforcement enforcement = NONO_TRY(enforcement_of(set, true));
  return std::move(enforcement.covers);
}

// As after a look at the file system.
CapabilitySet found(CapabilitySet set, capability::Found what) {
  capability::DenialList::Denials denials = set.denials().own();
  for (auto& denial : denials) denial.found = what;
  return set.with_denials({std::make_shared<const capability::DenialList::Denials>(denials), set.denials().shared_built_in()});
}

TEST(Denials, WhatNoGrantCoversNeedsNothing) {
  const auto covers = covers_of(set_with({"/tmp"}, {"/etc/shadow", "/tmpfile"}));
  ASSERT_TRUE(covers);
  EXPECT_TRUE(covers->covered.empty());
  EXPECT_TRUE(covers->pinned.empty());
  const auto plan = make_plan(set_with({"/tmp"}, {"/etc/shadow"}), facts(false));
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->view);
}

TEST(Denials, DirectoriesBetweenAWritableGrantAndADenialArePinnedOutermostFirst) {
  const auto covers = covers_of(set_with({"/tmp", "/tmp"}, {"/tmp/a/b/c/key", "/tmp/a/x"}));
  ASSERT_TRUE(covers);
  EXPECT_EQ(covers->covered, (Paths{"/tmp/a/x", "/tmp/a/b/c/key"}));
  EXPECT_EQ(covers->pinned, (Paths{"/tmp/a", "/tmp/a/b", "/tmp/a/b/c"}));
}

TEST(Denials, BelowAReadOnlyGrantNothingHasToBePinned) {
  const auto covers = covers_of(set_with({}, {"/usr/share/doc", "/usr/bin/env"}));
  ASSERT_TRUE(covers);
  EXPECT_EQ(covers->covered.size(), 2U);
  EXPECT_TRUE(covers->pinned.empty());
}

TEST(Denials, ADenialInsideADeniedDirectoryAndASecondOneAddNothing) {
  const auto covers = covers_of(set_with({"/tmp"}, {"/tmp/s/inner", "/tmp/s", "/tmp/s", "/tmp/s2"}));
  ASSERT_TRUE(covers);
  EXPECT_EQ(covers->covered, (Paths{"/tmp/s", "/tmp/s2"}));
}

TEST(Denials, TheGrantItselfCanBeDenied) {
  const auto covers = covers_of(set_with({"/tmp"}, {"/tmp"}));
  ASSERT_TRUE(covers);
  EXPECT_EQ(covers->covered, Paths{"/tmp"});
}

TEST(Denials, WhatAViewCannotDoIsRefusedByName) {
  const auto message = [](const CapabilitySet& set) {
    const auto covers = covers_of(set);
    return covers ? std::string("no refusal") : covers.error().message;
  };
  EXPECT_NE(message(set_with({"/"}, {"/"})).find("denial of / leaves nothing"), std::string::npos);
  EXPECT_NE(message(set_with({"/"}, {"/proc/sys"})).find("denial of /proc/sys cannot be enforced"), std::string::npos);
  EXPECT_NE(message(set_with({"/"}, {"/proc/**/x*"})).find("denial of /proc/**/x* cannot be enforced"), std::string::npos);
  EXPECT_NE(message(found(set_with({"/tmp"}, {"/tmp/x"}), capability::Found::kLink)).find("a symbolic link has taken its place"),
            std::string::npos);
}

TEST(Denials, TakeAViewASupervisorOrARefusal) {
  const CapabilitySet set = set_with({"/tmp"}, {"/tmp/secret"});
  const auto with_view = make_plan(set, facts(true, true));
  ASSERT_TRUE(with_view);
  ASSERT_TRUE(with_view->view);
  EXPECT_EQ(with_view->view->covered, Paths{"/tmp/secret"});
  EXPECT_EQ(with_view->seccomp_rules.names, Names::kFree);

  Options process;
  process.isolation = Isolation::kProcess;
  for (const auto& [host, options] : {std::pair{facts(false, true), Options{}}, {facts(true, true), process}}) {
    const auto supervised = make_plan(set, host, options);
    ASSERT_TRUE(supervised);
    EXPECT_FALSE(supervised->view);
    EXPECT_EQ(supervised->seccomp_rules.names, Names::kAllAsked);
    EXPECT_TRUE(supervised->seccomp_rules.ask_for_metadata);
  }

  Options own;
  own.subject = Subject::kThisProcess;
  Options other;
  other.isolation = Isolation::kProcess;
  other.uid = 1001;
  for (const auto& [host, options] : {std::pair{facts(false), Options{}}, {facts(true), process}, {facts(true, true), own}, {facts(true, true), other}}) {
    const auto refused = make_plan(set, host, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kSandboxInit);
    EXPECT_NE(refused.error().message.find("the denial of /tmp/secret"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find("supervisor"), std::string::npos);
    EXPECT_NE(refused.error().hint.find("Grant paths that leave it out"), std::string::npos);
  }
}

TEST(Denials, ThatNoViewCanCoverAreSupervised) {
  using capability::Found;
  CapabilitySet with_grant = set_with({"/"}, {"/usr"});
  ASSERT_TRUE(with_grant.allow_path("/usr/share", AccessMode::kRead));
  for (const CapabilitySet& set :
       {found(set_with({"/tmp"}, {"/tmp/x"}), Found::kNothing), found(set_with({"/tmp"}, {"/tmp/x"}), Found::kSeveralNames),
        set_with({"/tmp"}, {"**/.env"}), set_with({"/tmp"}, {"/tmp/*.pem"}), with_grant}) {
    EXPECT_FALSE(can_cover(set));
    const auto plan = make_plan(set, facts(true, true));
    ASSERT_TRUE(plan);
    EXPECT_FALSE(plan->view);
    EXPECT_EQ(plan->seccomp_rules.names, Names::kAllAsked);
    Options namespaces;
    namespaces.isolation = Isolation::kNamespaces;
    const auto both = make_plan(set, facts(true, true), namespaces);
    ASSERT_TRUE(both);
    EXPECT_TRUE(both->view && both->view->covered.empty());
    EXPECT_TRUE(both->seccomp_rules.ask_for_metadata);
  }
  const CapabilitySet some = found(set_with({"/tmp"}, {"/tmp/x", "**/.env"}), Found::kOneName);
  const auto plan = make_plan(some, facts(true, true));
  ASSERT_TRUE(plan && plan->view);
  EXPECT_EQ(plan->view->covered, Paths{"/tmp/x"});
  EXPECT_EQ(plan->seccomp_rules.names, Names::kAllAsked);
}

TEST(Denials, ThatCloseNothingNeedNothing) {
  CapabilitySet set = set_with({}, {"/tmp/*.pem", "/srv/x"});
  ASSERT_TRUE(set.allow_file("/dev/null", AccessMode::kReadWrite));
  ASSERT_TRUE(set.protect({"all"}));
  const auto plan = make_plan(set, facts(false));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->seccomp_rules.names, Names::kFree);
  EXPECT_FALSE(matters(set.denials()[0], set.fs()));
}

TEST(Denials, ProtectedNamesTakeASupervisorForChangesOnly) {
  CapabilitySet set = set_with({"/tmp"}, {});
  ASSERT_TRUE(set.protect({"git", "agents"}));
  const auto plan = make_plan(set, facts(true, true));
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->view);
  EXPECT_EQ(plan->seccomp_rules.names, Names::kChangesAsked);
  EXPECT_EQ(plan->denials.shared_built_in(), set.denials().shared_built_in()) << "not copied";

  Options other;
  other.uid = 1001;
  for (const auto& [host, options] : {std::pair{facts(true), Options{}}, {facts(true, true), other}}) {
    const auto refused = make_plan(set, host, options);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("the protection of **/.git/config (git)"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().hint.find("--unprotect all"), std::string::npos);
    EXPECT_NE(refused.error().hint.find("unprotect=[\"all\"]"), std::string::npos);
  }
  ASSERT_TRUE(set.deny_path("**/.env"));
  const auto refused = make_plan(set, facts(true));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("the denial of **/.env"), std::string::npos) << "the user's own comes first";
  EXPECT_EQ(make_plan(set, facts(true, true))->seccomp_rules.names, Names::kAllAsked);
}

TEST(Denials, TheRecordSaysWhatHoldsThem) {
  CapabilitySet set = set_with({"/tmp"}, {"/tmp/x", "**/.env", "/srv/y"});
  ASSERT_TRUE(set.protect({"direnv"}));
  const auto plan = make_plan(set, facts(true, true));
  ASSERT_TRUE(plan);
  const std::string record = record_json(*plan);
  for (const char* part : {R"("path": "/tmp/x",
      "enforced_by": "mount namespace")", R"("path": "**/.env",
      "enforced_by": "supervisor")", R"("path": "/srv/y",
      "enforced_by": "landlock: not granted")", R"("protected": {
    "direnv": [
      "**/.envrc")", "1 rule; whether they exist or not", "1 rules (direnv)", "executing one is not refused",
        "open, openat, truncate, rename, mkdir, rmdir, creat, link, unlink, symlink, "}) {
    EXPECT_NE(record.find(part), std::string::npos) << part << " in " << record;
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
  EXPECT_EQ(said("/usr/share/doc").protected_by, "");
  EXPECT_EQ(said("/etc").reason, PathAnswer::Reason::kPathNotGranted);
}

TEST(Denials, AreNamedInExplanationsAndSoIsWhatBeatsThem) {
  CapabilitySet set = set_with({"/tmp"}, {"/usr"});
  ASSERT_TRUE(set.protect({"git"}));
  const auto said = [&](const char* path, AccessMode mode) {
    return explain_path(set.fs(), set.denials(), capability::ancestry_of(path), mode);
  };
  const PathAnswer changed = said("/tmp/a/.git/hooks/x", AccessMode::kWrite);
  EXPECT_EQ(changed.reason, PathAnswer::Reason::kDeniedPath);
  EXPECT_EQ(changed.denied_path, "**/.git/hooks");
  EXPECT_EQ(changed.protected_by, "git");
  EXPECT_TRUE(said("/tmp/a/.git/hooks/x", AccessMode::kRead).allowed());
  EXPECT_FALSE(said("/tmp/a/.git/hooks/x", AccessMode::kReadWrite).allowed());
  ASSERT_TRUE(set.allow_path("/usr/bin", AccessMode::kRead));
  const PathAnswer beats = said("/usr/bin/env", AccessMode::kRead);
  EXPECT_TRUE(beats.allowed());
  EXPECT_EQ(beats.beats_denial, "/usr");
  EXPECT_EQ(said("/tmp/x", AccessMode::kRead).beats_denial, "");
  EXPECT_EQ(said("/etc", AccessMode::kWrite).reason, PathAnswer::Reason::kPathNotGranted);
}

// --- which one closes a place ---------------------------------------------------------------------------

std::string closing(const CapabilitySet& set, const std::string& place, Use use = Use::kRead) {
  const capability::Denial* denial = denial_of(set.fs(), set.denials(), place, std::nullopt, use);
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
  EXPECT_EQ(denial_of(set.fs(), denials, "/tmp/x", std::nullopt, Use::kRead), nullptr);
  EXPECT_NE(denial_of(set.fs(), denials, "/tmp/x/y", std::nullopt, Use::kChange), nullptr);
}

TEST(Denials, AGrantInsideADeniedDirectoryBeatsIt) {
  CapabilitySet set = set_with({"/"}, {"/usr"});
  ASSERT_TRUE(set.allow_path("/usr/share", AccessMode::kRead));
  const std::string share = capability::canonicalize("/usr/share").value_or("");
  EXPECT_EQ(closing(set, "/usr/lib"), "/usr");
  EXPECT_EQ(closing(set, share), "");
  EXPECT_EQ(closing(set, share + "/doc"), "");
  EXPECT_EQ(closing(set, share + "/doc", Use::kChange), "/usr") << "the grant around it is no grant inside";
  const auto* beaten = beaten_denial(set.fs(), set.denials(), share + "/doc", std::nullopt, Use::kRead);
  ASSERT_NE(beaten, nullptr);
  EXPECT_EQ(beaten->resolved, "/usr");
  EXPECT_EQ(beaten_denial(set.fs(), set.denials(), "/tmp", std::nullopt, Use::kRead), nullptr);
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
  EXPECT_EQ(denial_of(set.fs(), denials, "/tmp/x", std::nullopt, Use::kChange), nullptr);
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

// Two names of one file, each granted. A denial around both takes nothing from either grant, so nobody is asked.
TEST(Denials, AFileGrantedByTwoNamesIsOpenByBothWhateverIsDeniedAround) {
  const capability::TestDirectory dir;
  const std::string one = dir.file("one");
  const std::string two = dir / "two";
  ASSERT_EQ(::link(one.c_str(), two.c_str()), 0);
  CapabilitySet set;
  ASSERT_TRUE(set.allow_file(one, AccessMode::kRead));
  ASSERT_TRUE(set.allow_file(two, AccessMode::kReadWrite));
  ASSERT_TRUE(set.deny_path(dir.path()));
  const auto writes = [&] { return explain_path(set.fs(), set.denials(), capability::ancestry_of(one), AccessMode::kWrite).allowed(); };
  EXPECT_TRUE(writes());
  EXPECT_EQ(make_plan(set, facts(false, true))->seccomp_rules.names, Names::kFree);
  // A grant around the denial has something to lose, and then this name is closed for what is not granted by it.
  ASSERT_TRUE(set.allow_path(capability::parent_of(dir.path()), AccessMode::kRead));
  EXPECT_EQ(make_plan(set, facts(false, true))->seccomp_rules.names, Names::kAllAsked);
  EXPECT_FALSE(writes());
}

}  // namespace
}  // namespace nono::plan
