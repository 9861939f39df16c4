#include "capability/name_pattern.h"

#include <fnmatch.h>
#include <gtest/gtest.h>

#include <random>

#include "capability/denial.h"
#include "capability/path_resolution.h"

namespace nono::capability {
namespace {

NamePattern pattern(const std::string& text) {
  auto parsed = NamePattern::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed ? *parsed : NamePattern::literal("/");
}

bool matches(const std::string& text, const std::string& place) {
  return pattern(text).match(PathNames(place)).has_value();
}

bool leads(const std::string& text, const std::string& place) { return pattern(text).leads_to(PathNames(place)); }

// What is in front of the two ends.
std::pair<std::string, std::string> ends(const std::string& text, const std::string& place) {
  const auto match = pattern(text).match(PathNames(place));
  if (!match) return {"no match", ""};
  return {place.substr(0, match->first), place.substr(0, match->last)};
}

using Ends = std::pair<std::string, std::string>;

TEST(NamePattern, AnyDepthIsAnyNumberOfDirectoriesAlsoNone) {
  for (const char* place : {"/.env", "/a/.env", "/a/b/.env", "/a/b/.env/below/it"}) {
    EXPECT_TRUE(matches("**/.env", place)) << place;
  }
  for (const char* place : {"/", "/a", "/a/.env2", "/a/x.env", "/a.env/b"}) EXPECT_FALSE(matches("**/.env", place)) << place;
  EXPECT_TRUE(matches("/ws/**/*.pem", "/ws/x.pem"));
  EXPECT_TRUE(matches("/ws/**/*.pem", "/ws/a/b/x.pem"));
  EXPECT_FALSE(matches("/ws/**/*.pem", "/other/x.pem"));
  EXPECT_FALSE(matches("/ws/**/*.pem", "/ws"));
  EXPECT_FALSE(matches("/ws/**/*.pem", "/wsx/x.pem"));
}

TEST(NamePattern, TheShortestPrefixCountsAndTheFirstSpelledName) {
  EXPECT_EQ(ends("**/.git/hooks", "/w/a/.git/hooks/x"), (Ends{"/w/a/.git", "/w/a/.git/hooks"}));
  EXPECT_EQ(ends("**/.git/modules/**/config", "/w/.git/modules/a/b/config"), (Ends{"/w/.git", "/w/.git/modules/a/b/config"}));
  EXPECT_EQ(ends("**/.git/worktrees/*/commondir", "/w/.git/worktrees/a/commondir"),
            (Ends{"/w/.git", "/w/.git/worktrees/a/commondir"}));
  EXPECT_EQ(ends("**/*.pem", "/w/a.pem/b.pem"), (Ends{"/w/a.pem", "/w/a.pem"}));
  EXPECT_EQ(ends("**/.venv/bin/python*", "/w/.venv/bin/python3.12"), (Ends{"/w/.venv", "/w/.venv/bin/python3.12"}));
  EXPECT_EQ(ends("**/.git/hooks", "/w/.git/.git/hooks"), (Ends{"/w/.git/.git", "/w/.git/.git/hooks"}));
  const auto later = pattern("**/x").match(PathNames("/x/a/x/b/x"), 2);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->last, std::string("/x/a/x").size());
  EXPECT_FALSE(pattern("**/x").match(PathNames("/x/a/x"), 6));
}

TEST(NamePattern, SeveralAnyDepthsBacktrack) {
  EXPECT_TRUE(matches("**/a/**/b/**/c", "/a/b/a/b/x/c"));
  EXPECT_TRUE(matches("**/a/b/**/c/d", "/a/a/b/c/x/c/d"));
  EXPECT_FALSE(matches("**/a/b/**/c/d", "/a/x/b/c/d"));
  EXPECT_FALSE(matches("**/a/**/b/**/c", "/a/c/b"));
  EXPECT_TRUE(matches("**/**/a", "/a"));
  EXPECT_EQ(ends("**/a/*/b", "/a/a/x/b"), (Ends{"/a/a", "/a/a/x/b"}));
}

TEST(NamePattern, ALiteralIsItselfAndAllBelow) {
  const NamePattern literal = NamePattern::literal("/ws/.env");
  EXPECT_EQ(literal.match(PathNames("/ws/.env/x")), (Match{8, 8}));
  EXPECT_FALSE(literal.match(PathNames("/ws/.env"), 8));
  EXPECT_FALSE(literal.match(PathNames("/ws/.envrc")));
  EXPECT_FALSE(literal.match(PathNames("/ws")));
  EXPECT_EQ(NamePattern::literal("/").match(PathNames("/x")), (Match{1, 1}));
}

TEST(NamePattern, TheCaseOfAsciiLettersDoesNotCount) {
  EXPECT_TRUE(matches("**/.ENV", "/a/.env"));
  EXPECT_TRUE(matches("**/.git/hooks", "/a/.GIT/Hooks"));
  EXPECT_TRUE(matches("**/*.PEM", "/a/x.pEm"));
  EXPECT_TRUE(matches("**/[a-c]x", "/a/BX"));
  EXPECT_TRUE(matches("**/[!a]x", "/a/Ax"));  // it is not a
  EXPECT_TRUE(NamePattern::literal("/ws/.Env").match(PathNames("/WS/.eNV")));
  EXPECT_TRUE(NamePattern::literal("/ws/.Env").leads_to(PathNames("/WS")));
}

TEST(NamePattern, OneComponentAsInAShell) {
  EXPECT_TRUE(matches("**/*", "/.x"));
  EXPECT_TRUE(matches("**/a*b*c", "/aXbYbc"));
  EXPECT_FALSE(matches("**/a*b*c", "/aXc"));
  EXPECT_TRUE(matches("**/?.key", "/\xc3\xa4.key"));
  EXPECT_TRUE(matches("**/[\xc3\xa4-\xc3\xbc].key", "/\xc3\xb6.key"));
  EXPECT_FALSE(matches("**/[\xc3\xa4].key", "/\xc3\xb6.key"));
  EXPECT_TRUE(matches("**/[]x]", "/]"));
  EXPECT_TRUE(matches("**/[!]x]", "/y"));
  EXPECT_TRUE(matches("**/[a-]", "/-"));
  EXPECT_TRUE(matches("**/[[]x", "/[x"));
  EXPECT_TRUE(matches("**/a\\*", "/a\\b"));
  EXPECT_FALSE(matches("**/?", "/ab"));
}

TEST(NamePattern, AnyBytesAreAName) {
  EXPECT_TRUE(matches("**/*.pem", std::string("/a\nb\n.pem")));
  EXPECT_TRUE(matches("**/*.pem", "/\xff\xfe\x80.pem"));
  EXPECT_TRUE(matches("**/?.pem", "/\xff.pem"));
  EXPECT_TRUE(matches("**/[!a].pem", "/\xff.pem"));
  EXPECT_FALSE(matches("**/??.pem", "/\xff.pem"));
  EXPECT_TRUE(matches("**/x\n*", "/x\ny"));
}

TEST(NamePattern, AgreesWithFnmatchWhereThereAreNoLetters) {
  std::mt19937 random(1);
  const auto word = [&](std::string_view alphabet, std::size_t most) {
    std::string text;
    for (std::size_t length = 1 + random() % most; text.size() < length;) text += alphabet[random() % alphabet.size()];
    return text;
  };
  int compared = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = word("12*?[]!-3", 8);
    const std::string name = word("1234-]!", 6);
    const auto parsed = NamePattern::parse("/" + text);
    if (!parsed || text == "**" || !NamePattern::is_pattern(text)) continue;
    const bool expected = ::fnmatch(text.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
    ASSERT_EQ(parsed->match(PathNames("/" + name)).has_value(), expected) << text << " " << name;
    ++compared;
  }
  EXPECT_GT(compared, 50'000);
}

TEST(NamePattern, TakesNoTimeToSpeakOf) {
  std::string stars = "**";
  std::string deep;
  for (int i = 0; i < 400; ++i) stars += "/a/**";
  for (int i = 0; i < 2000; ++i) deep += "/a";
  EXPECT_FALSE(matches(stars + "/b", deep));
  EXPECT_FALSE(leads(stars + "/b/c", deep.substr(0, 700) + "/x"));
  std::string wild;
  for (int i = 0; i < 100; ++i) wild += "*a";
  EXPECT_FALSE(matches("**/" + wild + "b", "/" + std::string(255, 'a')));
}

TEST(NamePattern, LeadsToWhatItCouldMatchByNamesThatItSpells) {
  EXPECT_TRUE(leads("**/.git/hooks", "/any/.git"));
  EXPECT_TRUE(leads("**/.git/hooks", "/.GIT"));
  EXPECT_FALSE(leads("**/.git/hooks", "/any"));
  EXPECT_FALSE(leads("**/.git/hooks", "/any/.git/hooks"));
  EXPECT_FALSE(leads("**/.git/hooks", "/any/.git/objects"));
  EXPECT_TRUE(leads("**/.git/modules/**/config", "/w/.git/modules"));
  EXPECT_FALSE(leads("**/.git/modules/**/config", "/w/.git/modules/a"));
  EXPECT_TRUE(leads("**/.git/worktrees/*/commondir", "/w/.git/worktrees/a"));
  EXPECT_FALSE(leads("**/.env", "/a"));
  EXPECT_TRUE(leads("/ws/a/**/*.pem", "/ws/a"));
  EXPECT_TRUE(leads("/ws/a/**/*.pem", "/ws"));
  EXPECT_TRUE(leads("/ws/a/**/*.pem", "/"));
  EXPECT_FALSE(leads("/ws/a/**/*.pem", "/ws/a/b"));
  EXPECT_FALSE(leads("/ws/a/**/*.pem", "/w"));
  const NamePattern literal = NamePattern::literal("/ws/a/.env");
  EXPECT_TRUE(literal.leads_to(PathNames("/ws/a")));
  EXPECT_TRUE(literal.leads_to(PathNames("/")));
  EXPECT_FALSE(literal.leads_to(PathNames("/ws/a/.env")));
  EXPECT_FALSE(literal.leads_to(PathNames("/ws/a/.en")));
  EXPECT_FALSE(literal.leads_to(PathNames("/ws/b")));
}

TEST(NamePattern, IsShownAsItIsMeant) {
  EXPECT_EQ(pattern("**/.git/hooks").to_string(), "**/.git/hooks");
  EXPECT_EQ(pattern("/**/.git").to_string(), "**/.git");
}

TEST(NamePattern, WhatCanNameNothingOrEverythingIsRefused) {
  for (const std::string& text : {std::string(), std::string("**/../x*"), std::string("a*/.."), std::string("**/a\0b", 6),
                                 std::string("**/[a"), std::string("**/[!]"), std::string("**/[a/b]"), std::string("**/[[:alpha:]]"),
                                 std::string("**/[z-a]"), std::string("**"), std::string("/**"), "**/" + std::string(5000, 'a')}) {
    const auto parsed = NamePattern::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_TRUE(parsed.error().message.starts_with("Invalid pattern ")) << parsed.error().message;
  }
}

TEST(NamePattern, BelongsToTheCurrentDirectoryUnlessItSaysOtherwise) {
  EXPECT_EQ(pattern("*.pem").base(), canonicalize_existing_part("."));
  EXPECT_EQ(pattern("not/there/*.pem").base(), canonicalize_existing_part(".") + "/not/there");
  EXPECT_EQ(pattern("**/x").base(), "/");
  EXPECT_EQ(pattern("/bin/*sh").base(), canonicalize_existing_part("/bin"));
  EXPECT_EQ(pattern("/usr/share/**").to_string(), "/usr/share");
}

TEST(Denial, IsAPathOrAPattern) {
  const auto literal = Denial::of("/usr/bin/../bin/env");
  ASSERT_TRUE(literal);
  EXPECT_FALSE(literal->is_pattern());
  EXPECT_EQ(literal->resolved, canonicalize_existing_part("/usr/bin/env"));
  EXPECT_EQ(literal->base(), literal->resolved);
  const auto pattern = Denial::of("**/.env");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(pattern->is_pattern());
  EXPECT_EQ(pattern->resolved, "**/.env");
  EXPECT_EQ(pattern->base(), "/");
  EXPECT_EQ(pattern->match("/a/.env/b"), (Match{7, 7}));
  EXPECT_FALSE(Denial::of("**/["));
}

TEST(NamePattern, LettersCountWhereTheyAreToOpenSomething) {
  const auto opens = [](const std::string& text, const std::string& place) {
    return NamePattern::parse(text, Case::kCounts)->match(PathNames(place)).has_value();
  };
  EXPECT_TRUE(opens("/ws/**/*.py", "/ws/a/b.py"));
  for (const char* place : {"/ws/a/b.PY", "/WS/a/b.py"}) EXPECT_FALSE(opens("/ws/**/*.py", place)) << place;
  EXPECT_FALSE(opens("/ws/*/src", "/ws/a/SRC"));
  EXPECT_TRUE(opens("/ws/[a-c]", "/ws/b"));
  EXPECT_FALSE(opens("/ws/[a-c]", "/ws/B"));
  EXPECT_TRUE(opens("/ws/[!a]", "/ws/A"));
  EXPECT_FALSE(opens("/ws/?x", "/ws/aX"));
}

}  // namespace
}  // namespace nono::capability
