// What nono says and passes on: answers, environment, protected paths, the words of `setup`.
#include <gtest/gtest.h>

#include <cerrno>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/child_environment.h"
#include "cli/protected_paths.h"
#include "cli/setup.h"

namespace nono::cli {
namespace {

using capability::AccessMode;

PathFacts facts(const std::string& path) {
  PathFacts out;
  out.canonical = path;
  out.exists = out.user_may_read = out.user_may_write = true;
  return out;
}

TEST(Answer, Paths) {
  plan::PathAnswer plan_answer;
  EXPECT_EQ(answer_text(answer_for_path("/data/x", AccessMode::kRead, plan_answer, facts("/data/x"))),
            "Reading /data/x is denied: no grant covers it. To allow it, add --read-file /data/x.\n");

  plan_answer.reason = plan::PathAnswer::Reason::kInsufficientAccess;
  plan_answer.access = "read";
  PathFacts missing = facts("/data/new");
  missing.exists = false;
  EXPECT_EQ(answer_text(answer_for_path("/data/new", AccessMode::kWrite, plan_answer, missing)),
            "Writing /data/new is denied: only read is granted. To allow it, add --write /data. "
            "Nothing of that name can be seen here now.\n");

  plan_answer.reason = plan::PathAnswer::Reason::kGrantedPath;
  plan_answer.granted_path = "/usr";
  const Answer allowed = answer_for_path("/bin/sh", AccessMode::kRead, plan_answer, facts("/usr/bin/dash"));
  EXPECT_TRUE(allowed.allowed);
  EXPECT_EQ(answer_text(allowed), "Reading /bin/sh (which is /usr/bin/dash) is allowed: /usr is granted (read).\n");
  EXPECT_EQ(answer_json(allowed),
            "{\"status\":\"allowed\",\"reason\":\"granted_path\",\"subject\":\"/usr/bin/dash\",\"granted\":\"/usr\","
            "\"details\":\"Reading /bin/sh (which is /usr/bin/dash) is allowed: /usr is granted (read).\"}\n");
}

TEST(Answer, TextIsEscapedAndJsonIsUtf8) {
  const Answer answer = answer_for_path("/a\x1b\n\xff", AccessMode::kRead, {}, facts("/a\x1b\n\xff"));
  EXPECT_NE(answer_text(answer).find("/a\\x1b\\n\\xff"), std::string::npos);
  EXPECT_EQ(answer_json(answer).find('\xff'), std::string::npos);
}

TEST(Answer, Hosts) {
  EXPECT_EQ(answer_text(answer_for_host("example.com", 443, {plan::Sockets::kInternet, {}})),
            "Connecting to example.com on TCP port 443 is allowed: the network is not restricted.\n");
  EXPECT_EQ(answer_text(answer_for_host("example.com", 443, {plan::Sockets::kNone, {}})),
            "Connecting to example.com on TCP port 443 is denied: the network is blocked. "
            "To allow it, add --allow-connect 443.\n");
  EXPECT_TRUE(answer_for_host("example.com", 443, {plan::Sockets::kTcp, {80, 443}}).allowed);
  EXPECT_FALSE(answer_for_host("example.com", 443, {plan::Sockets::kTcp, {80}}).allowed);
  EXPECT_FALSE(answer_for_host("example.com", 443, {plan::Sockets::kTcp, {}}).allowed);
}

TEST(ChildEnvironment, AFixedChoiceAndWhatIsAskedFor) {
  const launch::Environment host = {{"PATH", "/bin"}, {"HOME", "/h"}, {"LC_TIME", "C"}, {"AWS_SECRET_ACCESS_KEY", "s"},
                                    {"SSH_AUTH_SOCK", "/s"}, {"TOKEN", "t"}, {"LD_PRELOAD", "/evil.so"}};
  const auto environment = child_environment(host, {"TOKEN", "CI=1", "HOME=/elsewhere", "EMPTY="});
  ASSERT_TRUE(environment);
  EXPECT_EQ(*environment, (launch::Environment{{"CI", "1"}, {"EMPTY", ""}, {"HOME", "/elsewhere"}, {"LC_TIME", "C"},
                                               {"PATH", "/bin"}, {"TOKEN", "t"}}));
  EXPECT_EQ(search_path(*environment), "/bin");
}

TEST(ChildEnvironment, Refusals) {
  for (const char* request : {"NOT_SET", "LD_PRELOAD=/x.so", "=x", ""}) {
    EXPECT_FALSE(child_environment({}, {request})) << request;
  }
  EXPECT_NE(search_path(child_environment({}, {}).value()), "");
}

TEST(ProtectedPaths, SecretsWaysOutAndWhatHoldsThem) {
  ::setenv("HOME", "/home/somebody", 1);
  const ProtectedPaths paths;
  for (const char* path : {"/", "/etc", "/home", "/home/somebody", "/home/somebody/.ssh", "/home/somebody/.ssh/id_rsa",
                           "/home/another/.ssh/id_rsa", "/home/somebody/.bashrc", "/proc/1/environ", "/dev/sda",
                           "/run/docker.sock", "/var/run/docker.sock", "/home/somebody/.config"}) {
    EXPECT_TRUE(paths.contains(path)) << path;
  }
  for (const char* path : {"/etc/motd", "/home/somebody/project", "/opt/tool", "/home/somebody/.sshx", "/data"}) {
    EXPECT_FALSE(paths.contains(path)) << path;
  }
}

kernel::HostFacts kernel_with(int abi) {
  kernel::HostFacts host;
  host.kernel_release = "6.1.0";
  host.landlock_abi = abi;
  host.landlock_error = abi == 0 ? EOPNOTSUPP : 0;
  host.seccomp_filter = true;
  host.private_view_error = "clone: Operation not permitted (os error 1)";
  return host;
}

TEST(SetupText, SaysWhatIsMissingAndSinceWhen) {
  const std::string old = setup_text(kernel_with(2));
  EXPECT_NE(old.find("truncate, by Landlock since Linux 6.2 (ABI 3)"), std::string::npos);
  EXPECT_EQ(old.find("Linux 5.19"), std::string::npos);
  EXPECT_NE(old.find("No sandbox can be made here"), std::string::npos);
  EXPECT_NE(old.find("not possible here: clone: Operation not permitted"), std::string::npos);

  auto old_with_namespaces = kernel_with(2);
  old_with_namespaces.private_view = true;
  EXPECT_NE(setup_text(old_with_namespaces).find("--isolation auto means namespaces"), std::string::npos);

  const std::string newest = setup_text(kernel_with(10));
  EXPECT_EQ(newest.find("What a newer kernel would add"), std::string::npos);
  EXPECT_NE(newest.find("--isolation auto means process"), std::string::npos);

  EXPECT_NE(setup_text(kernel_with(0)).find("not available: Operation not supported"), std::string::npos);
}

}  // namespace
}  // namespace nono::cli
