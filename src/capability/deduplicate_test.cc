#include <gtest/gtest.h>

#include <unistd.h>

#include "base/text.h"
#include "capability/capability_set.h"
#include "capability/test_directory.h"

namespace nono::capability {
namespace {

constexpr AccessMode R = AccessMode::kRead;
constexpr AccessMode W = AccessMode::kWrite;
constexpr AccessMode RW = AccessMode::kReadWrite;

CapabilitySource source(char letter) {
  switch (letter) {
    case 'u': return CapabilitySource::user();
    case 'p': return CapabilitySource::profile();
    case 's': return CapabilitySource::system();
    default: return CapabilitySource::group("g");
  }
}

struct Given {
  char source;
  AccessMode access;
};

// "user read, group:g write"
std::string text(const std::vector<FsCapability>& grants) {
  std::vector<std::string> parts;
  for (const FsCapability& grant : grants) {
    parts.push_back(cat(grant.source.to_string(), " ", to_string(grant.access)));
  }
  return join(parts, ", ");
}

class Deduplicate : public testing::Test {
 protected:
  std::string one_path(const std::vector<Given>& given) const {
    CapabilitySet set;
    for (const Given& g : given) EXPECT_TRUE(set.allow_path(dir_.path(), g.access, source(g.source)));
    set.deduplicate();
    return text(set.fs());
  }

  TestDirectory dir_;
};

TEST_F(Deduplicate, WithinOneClassAccessesAreUnited) {
  EXPECT_EQ(one_path({{'u', R}, {'u', R}}), "user read");
  EXPECT_EQ(one_path({{'u', R}, {'u', W}}), "user read+write");
  EXPECT_EQ(one_path({{'u', W}, {'p', R}}), "user read+write");
  EXPECT_EQ(one_path({{'u', R}, {'p', RW}}), "profile read+write");
  EXPECT_EQ(one_path({{'p', RW}, {'u', RW}}), "profile read+write");
  EXPECT_EQ(one_path({{'g', R}, {'s', W}}), "group:g read+write");
  EXPECT_EQ(one_path({{'g', W}, {'s', RW}}), "system read+write");
}

TEST_F(Deduplicate, AUsersGrantBeatsAGroupsWhateverTheAccess) {
  EXPECT_EQ(one_path({{'u', R}, {'g', RW}}), "user read");
  EXPECT_EQ(one_path({{'g', RW}, {'u', R}}), "user read");
  EXPECT_EQ(one_path({{'s', RW}, {'p', W}}), "profile write");
}

TEST_F(Deduplicate, WideningBugAcrossClassesIsGoneAGroupNeverAddsToWhatAUserGave) {
  EXPECT_EQ(one_path({{'u', R}, {'g', W}}), "user read");
  EXPECT_EQ(one_path({{'g', W}, {'u', R}}), "user read");
  EXPECT_EQ(one_path({{'u', W}, {'g', R}}), "user write");
  EXPECT_EQ(one_path({{'g', R}, {'u', W}}), "user write");
  EXPECT_EQ(one_path({{'g', R}, {'g', W}, {'u', R}}), "user read");
  EXPECT_EQ(one_path({{'g', W}, {'u', R}, {'g', RW}, {'u', R}}), "user read");
  EXPECT_EQ(one_path({{'u', R}, {'g', W}, {'p', W}}), "user read+write");
}

TEST_F(Deduplicate, DifferentPathsStayAndSurvivorsKeepTheirPlace) {
  const std::string a = dir_.directory("a");
  const std::string b = dir_.directory("b");
  const std::string c = dir_.file("c");
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(a, R));
  ASSERT_TRUE(set.allow_path(b, R, CapabilitySource::group("g")));
  ASSERT_TRUE(set.allow_file(c, R));
  ASSERT_TRUE(set.allow_path(b, W));
  ASSERT_TRUE(set.allow_path(a, W));
  set.deduplicate();
  ASSERT_EQ(set.fs().size(), 3U);
  EXPECT_EQ(set.fs()[0].to_string(), a + " (read+write)");
  EXPECT_EQ(set.fs()[1].to_string(), c + " (read)");
  EXPECT_EQ(set.fs()[2].to_string(), b + " (write)");
}

TEST_F(Deduplicate, TheLinksNameIsKept) {
  const std::string real = dir_.directory("real");
  const std::string link = dir_.link("link", "real");
  const std::string other = dir_.link("other", "real");
  for (const auto& order : {std::vector{real, link}, std::vector{link, real}, std::vector{link, other}}) {
    CapabilitySet set;
    for (const std::string& path : order) ASSERT_TRUE(set.allow_path(path, R));
    set.deduplicate();
    ASSERT_EQ(set.fs().size(), 1U);
    EXPECT_EQ(set.fs()[0].original, link);
    EXPECT_EQ(set.fs()[0].links.front(), (Link{link, "real"}));
    EXPECT_EQ(set.fs()[0].resolved, real);
  }
}

TEST_F(Deduplicate, ANameThatMeansAnotherObjectInEveryProcessIsNotKept) {
  const std::string own = cat("/proc/", ::getpid(), "/fd");
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(own, R));
  ASSERT_TRUE(set.allow_path("/proc/self/fd", R));
  ASSERT_TRUE(set.allow_path("/dev/fd", R));
  set.deduplicate();
  ASSERT_EQ(set.fs().size(), 1U);
  EXPECT_EQ(set.fs()[0].original, own);
}

TEST_F(Deduplicate, TwoObjectsThatHadOneNameAreNeverUnited) {
  const std::string path = dir_.directory("path");
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(path, R));
  std::filesystem::rename(path, dir_ / "moved");
  dir_.directory("path");
  ASSERT_TRUE(set.allow_path(path, W));
  const auto later = set.fs()[1].handle;
  set.deduplicate();
  EXPECT_EQ(text(set.fs()), "user write");
  EXPECT_EQ(set.fs()[0].handle, later);
  EXPECT_TRUE(check_unchanged(set.fs()[0]));
}

TEST_F(Deduplicate, AGroupsNewerObjectDoesNotReplaceAUsersGrant) {
  const std::string path = dir_.directory("path");
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(path, R));
  std::filesystem::rename(path, dir_ / "moved");
  dir_.directory("path");
  ASSERT_TRUE(set.allow_path(path, RW, CapabilitySource::group("g")));
  set.deduplicate();
  EXPECT_EQ(text(set.fs()), "user read");
  EXPECT_FALSE(check_unchanged(set.fs()[0]));
}

TEST_F(Deduplicate, PortsAreLeftAlone) {
  CapabilitySet set;
  set.allow_bind_port(80);
  set.allow_bind_port(80);
  set.deduplicate();
  EXPECT_EQ(set.bind_ports(), (std::vector<std::uint16_t>{80, 80}));
  EXPECT_TRUE(set.fs().empty());
}

}  // namespace
}  // namespace nono::capability
