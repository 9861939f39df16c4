#include "policy/expand_path.h"

#include <gtest/gtest.h>

namespace nono::policy {
namespace {

TEST(ExpandPath, Table) {
  const Environment environment{"/home/u", "/scratch/u/"};
  struct Case {
    std::string_view path;
    std::string_view expanded;
  };
  for (const Case& c : {
           Case{"~", "/home/u"}, {"~/", "/home/u/"}, {"~/.ssh", "/home/u/.ssh"},
           {"$HOME", "/home/u"}, {"$HOME/.ssh", "/home/u/.ssh"},
           {"$TMPDIR", "/scratch/u/"}, {"$TMPDIR/x", "/scratch/u/x"},
           {"/etc/~", "/etc/~"}, {"/a/$HOME", "/a/$HOME"}, {"~root", "~root"}, {"$HOMER/x", "$HOMER/x"},
           {"$TMPDIRS", "$TMPDIRS"}, {"${HOME}/x", "${HOME}/x"}, {"$XDG_CONFIG_HOME/x", "$XDG_CONFIG_HOME/x"},
           {"relative", "relative"}, {"", ""}, {"~/$TMPDIR", "/home/u/$TMPDIR"}, {"~/~", "/home/u/~"},
       }) {
    const auto expanded = expand_path(c.path, environment);
    ASSERT_TRUE(expanded) << c.path;
    EXPECT_EQ(*expanded, c.expanded);
  }
}

TEST(ExpandPath, RootAsHome) {
  EXPECT_EQ(expand_path("~/x", {"/", {}}).value(), "/x");
  EXPECT_EQ(expand_path("~", {"/", {}}).value(), "/");
}

TEST(ExpandPath, TmpdirDefaultsToTmp) {
  EXPECT_EQ(expand_path("$TMPDIR/x", {}).value(), "/tmp/x");
  EXPECT_EQ(expand_path("$TMPDIR", {{}, ""}).value(), "/tmp");
}

TEST(ExpandPath, ErrorsNameTheVariable) {
  const auto message = [](std::string_view path, const Environment& environment) {
    const auto expanded = expand_path(path, environment);
    EXPECT_FALSE(expanded) << path;
    EXPECT_EQ(expanded.error().kind, ErrorKind::kConfigParse);
    return expanded.error().message;
  };
  EXPECT_EQ(message("~/x", {}), "Configuration parse error: HOME is not set");
  EXPECT_EQ(message("$HOME", {}), "Configuration parse error: HOME is not set");
  EXPECT_EQ(message("~", {"home/u", {}}),
            "Configuration parse error: HOME must be an absolute path, got: home/u");
  EXPECT_EQ(message("~", {"", {}}), "Configuration parse error: HOME must be an absolute path, got: ");
  EXPECT_EQ(message("$TMPDIR/x", {"/home/u", "t\x1b"}),
            "Configuration parse error: TMPDIR must be an absolute path, got: t\\x1b");
}

}  // namespace
}  // namespace nono::policy
