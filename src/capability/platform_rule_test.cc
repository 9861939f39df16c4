#include "capability/platform_rule.h"

#include <gtest/gtest.h>

#include "capability/capability_set.h"

namespace nono::capability {
namespace {

const std::string kPrefix = "Sandbox initialization failed: ";

TEST(PlatformRule, AcceptsBalancedExpressions) {
  for (const std::string rule : {
           "(allow mach-lookup (global-name \"com.apple.logd\"))",
           "  (deny file-write* (subpath \"/\"))\n",
           "(allow file-read* (subpath \"/Users\"))",
           "(allow file-read* (literal \"/\"))",
           "(allow file-read-metadata (subpath \"/\"))",
           "(a ; comment with ( and \"\n)",
           "(a #| block ( \" |# b)",
           "(a \"quoted ) paren and \\\" quote\")",
           "(a)(b)",
           "()",
       }) {
    EXPECT_TRUE(validate_platform_rule(rule)) << rule;
  }
}

TEST(PlatformRule, RejectsWithUpstreamsTexts) {
  struct Case {
    std::string rule;
    std::string message;
  };
  for (const Case& c : std::vector<Case>{
           {"allow x", "platform rule must be an S-expression starting with '(': allow x"},
           {"", "platform rule must be an S-expression starting with '(': "},
           {" \t ", "platform rule must be an S-expression starting with '(':  \t "},
           {"; c\n(a)", "platform rule must be an S-expression starting with '(': ; c\n(a)"},
           {"(a", "platform rule has unbalanced parentheses: (a"},
           {"(a))", "platform rule has unbalanced parentheses: (a))"},
           {"(a))(", "platform rule has unbalanced parentheses: (a))("},
           {"(a ; )", "platform rule has unbalanced parentheses: (a ; )"},
           {"(a \"b)", "platform rule has unterminated string"},
           {"(a \"b\\", "platform rule has unterminated string"},
           {"(a \"b\\\")", "platform rule has unterminated string"},
           {"(a #| b)", "platform rule has unterminated block comment"},
           {"(allow file-read* (subpath \"/\"))", "platform rule must not grant root-level read access"},
           {"(allow file-write* (subpath \"/\"))", "platform rule must not grant root-level write access"},
           {"(allow file-read* (subpath /))", "platform rule must not grant root-level read access"},
           {"(allow #|x|# file-write* ;y\n (subpath \"\\/\"))",
            "platform rule must not grant root-level write access"},
           {"(a)(allow file-read*(subpath\"/\"))", "platform rule must not grant root-level read access"},
       }) {
    const Status status = validate_platform_rule(c.rule);
    ASSERT_FALSE(status) << c.rule;
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(status.error().message, kPrefix + c.message);
  }
}

TEST(PlatformRule, IsCheckedByTheSet) {
  CapabilitySet set;
  EXPECT_TRUE(set.platform_rule("(allow sysctl-read)"));
  EXPECT_FALSE(set.platform_rule("(allow"));
}

}  // namespace
}  // namespace nono::capability
