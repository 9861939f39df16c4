#include "plan/diagnostics.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "plan/stderr_hints.h"

namespace nono::plan {
namespace {

using capability::AccessMode;

struct Host {
  std::map<std::string, PathFacts> facts;
  bool network_blocked = false;

  [[nodiscard]] SessionReport report(std::string_view text, int exit_code = 1) const {
    const DiagnosticContext context{[this](const std::string& path) {
                                      const auto found = facts.find(path);
                                      return found == facts.end() ? PathFacts{} : found->second;
                                    },
                                    network_blocked, "/work"};
    return session_report(exit_code, {}, text, context);
  }
};

TEST(Diagnostics, SuccessWithoutComplaintSaysNothing) {
  EXPECT_TRUE(Host{}.report("", 0).diagnostics.empty());
  EXPECT_TRUE(session_report(0).diagnostics.empty());
}

TEST(Diagnostics, FailureEndsWithTwoPiecesOfAdvice) {
  const SessionReport report = session_report(3);
  ASSERT_EQ(report.diagnostics.size(), 2U);
  EXPECT_EQ(report.diagnostics[0].remediation->kind, "run_discovery");
  EXPECT_EQ(report.diagnostics[1].remediation->kind, "check_policy");
}

TEST(Diagnostics, MissingPathIsAnApplicationError) {
  const auto report = Host{}.report("cat: /no/such: No such file or directory\n");
  EXPECT_EQ(report.diagnostics[0].code, "command_failed_application");
  EXPECT_EQ(report.diagnostics[0].path, "/no/such");
  EXPECT_EQ(report.diagnostics[0].observation, "missing_path");
}

TEST(Diagnostics, RefusedWriteProposesThatPathOnly) {
  Host host;
  host.facts["/etc/zzz"] = {AccessMode::kRead, false};
  const auto report = host.report("touch: cannot touch '/etc/zzz': Permission denied\n");
  ASSERT_TRUE(report.diagnostics[0].remediation);
  EXPECT_EQ(report.diagnostics[0].remediation->kind, "grant_path");
  EXPECT_EQ(report.diagnostics[0].remediation->path, "/etc/zzz");
  EXPECT_EQ(report.diagnostics[0].remediation->access, AccessMode::kWrite);
}

TEST(Diagnostics, GrantedPathIsNotListed) {
  Host host;
  host.facts["/data/x"] = {AccessMode::kReadWrite, false};
  EXPECT_EQ(host.report("cat: /data/x: Permission denied\n").diagnostics.size(), 2U);
}

TEST(Diagnostics, UnknownWordingAsksForWhatIsNotGranted) {
  Host host;
  host.facts["/data/x"] = {AccessMode::kRead, false};
  const auto report = host.report("PermissionError: [Errno 13] Permission denied: '/data/x'\n");
  EXPECT_EQ(report.diagnostics[0].access, AccessMode::kWrite);
  EXPECT_EQ(Host{}.report("x: open /data/y: permission denied\n").diagnostics[0].access,
            AccessMode::kReadWrite);
}

TEST(Diagnostics, NetworkComplaintCountsOnlyWhenBlocked) {
  const char* text = "curl: (7) Failed to connect: Operation not permitted\n";
  Host host;
  EXPECT_EQ(host.report(text).diagnostics.size(), 2U);
  host.network_blocked = true;
  EXPECT_EQ(host.report(text).diagnostics[0].code, "sandbox_denied_network");
}

TEST(Diagnostics, OrderIsMissingApplicationNetworkRefusedAdvice) {
  Host host;
  host.network_blocked = true;
  const auto report = host.report(
      "cat: /z: Permission denied\nsocket: Operation not permitted\nmkdir: EEXIST\n"
      "cat: /b: No such file or directory\ncat: /a: No such file or directory\n");
  ASSERT_EQ(report.diagnostics.size(), 7U);
  EXPECT_EQ(report.diagnostics[0].path, "/a");
  EXPECT_EQ(report.diagnostics[1].path, "/b");
  EXPECT_EQ(report.diagnostics[2].observation, "application_failure");
  EXPECT_EQ(report.diagnostics[3].observation, "network_blocked");
  EXPECT_EQ(report.diagnostics[4].path, "/z");
}

TEST(Diagnostics, WorkingDirectoryItself) {
  const auto report = Host{}.report("ls: cannot open directory '/work': Permission denied\n");
  EXPECT_EQ(report.diagnostics[0].remediation->kind, "allow_cwd");
  // But not for what lies in it: the text is the command's, the directory may be anything.
  EXPECT_EQ(Host{}.report("cat: x: Permission denied\n").diagnostics[0].remediation->path, "/work/x");
}

TEST(Diagnostics, CertainDenialComesFirst) {
  const DiagnosticContext context{[](const std::string&) { return PathFacts{}; }, false, "/"};
  const auto report = session_report(
      127, {{{"/opt/tool", "execute", PathAnswer::Reason::kPathNotGranted}}, {}}, "", context);
  EXPECT_EQ(report.diagnostics[0].code, "sandbox_denied_path");
  EXPECT_NE(report_json(report).find(R"("operation":"execute")"), std::string::npos);
}

TEST(Diagnostics, RefusedStartCarriesItsHint) {
  const DiagnosticContext context{[](const std::string&) { return PathFacts{}; }, false, "/"};
  const auto report = session_report(
      126, {{}, Error{ErrorKind::kSandboxInit, "Sandbox initialization failed: x", "Do y."}}, "", context);
  EXPECT_EQ(report.diagnostics[0].code, "sandbox_denied_path");
  EXPECT_NE(report_json(report).find(R"("hint":"Do y.")"), std::string::npos);
}

TEST(StderrHints, FindsPathsInManyWordings) {
  const auto refused = [](std::string_view line) {
    const StderrHints hints = read_stderr(line);
    return hints.refused.empty() ? std::string("-") : hints.refused[0].path;
  };
  EXPECT_EQ(refused("bash: line 1: /etc/x: Permission denied"), "/etc/x");
  EXPECT_EQ(refused("sh: 1: cannot create /etc/x y: Permission denied"), "/etc/x y");
  EXPECT_EQ(refused("Error: EACCES: permission denied, open '/a b'"), "/a b");
  EXPECT_EQ(refused("mv: cannot move 'a' to '/etc/b': Permission denied"), "/etc/b");
  EXPECT_EQ(refused("cat: notes.txt: Permission denied"), "notes.txt");
  EXPECT_EQ(refused("Permission denied"), "-");
  EXPECT_EQ(refused("error: Permission denied (os error 13)"), "-");
}

TEST(StderrHints, UncleanPathsArePassedOver) {
  EXPECT_TRUE(read_stderr("cat: '/a\x1b[2J': Permission denied").refused.empty());
  EXPECT_TRUE(read_stderr("cat: /a\xff: Permission denied").refused.empty());
  EXPECT_TRUE(read_stderr("cat: '/a\u202e': Permission denied").refused.empty());
}

TEST(StderrHints, IsBoundedAndTakesAnyBytes) {
  std::string many;
  for (int i = 0; i < 500; ++i) many += "cat: /p" + std::to_string(i) + ": Permission denied\n";
  EXPECT_EQ(read_stderr(many).refused.size(), kMaxHintPaths);
  for (std::size_t length = kMaxHintText - 4; length < kMaxHintText + 4; ++length) {
    std::string cut(length, 'x');
    cut += "\xe2\x82\xac: permission denied: '/a'\n";
    (void)read_stderr(cut);
  }
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += static_cast<char>(i * 7919 % 256);
  (void)Host{}.report(bytes);
  (void)report_json(Host{}.report(bytes + "\nEEXIST \xff\n"));
}

}  // namespace
}  // namespace nono::plan
