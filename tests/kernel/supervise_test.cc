// The supervisor's threads next to commands that come and go: for the sanitizers. What each call does is in
// tests/python: test_metadata.py, test_supervised_names.py, test_unix_sockets.py.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "kernel/host_facts.h"
#include "plan/plan.h"
#include "run.h"

namespace nono::supervise {
namespace {

using capability::AccessMode;

class Supervised : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!kernel::host_facts().user_notification) GTEST_SKIP() << "expected: no supervisor is possible here";
    std::string pattern = "/tmp/nono-test-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    std::filesystem::create_directory(directory_ + "/inside");
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  launch::Outcome shell(const std::string& script, launch::Deadline deadline = {}) const {
    capability::CapabilitySet set;
    if (!denied_.empty()) {
      EXPECT_TRUE(set.deny_path(denied_));
    }
    for (const char* path : {"/usr", "/bin", "/lib", "/lib64"}) {
      if (::access(path, F_OK) == 0) {
        EXPECT_TRUE(set.allow_path(path, AccessMode::kRead));
      }
    }
    EXPECT_TRUE(set.allow_path(directory_ + "/inside", AccessMode::kReadWrite));
    EXPECT_TRUE(set.allow_file("/dev/null", AccessMode::kReadWrite));  // the input of what runs in the background
    set.block_network();
    plan::Options options;
    options.isolation = plan::Isolation::kProcess;
    options.environment.emplace_back("PATH", "/usr/bin:/bin");
    auto plan = plan::make_plan(set, kernel::host_facts(), options);
    EXPECT_TRUE(plan);
    launch::Command command;
    command.program = "/bin/sh";
    command.argv = {"sh", "-c", script};
    command.directory = directory_ + "/inside";
    auto outcome = launch::run(*std::move(plan), std::move(command), deadline, [] { return false; });
    if (!outcome) ADD_FAILURE() << outcome.error().message;
    return outcome.value();
  }

  std::string directory_;
  std::string denied_;  // a pattern: then every open is put to the supervisor
};

TEST_F(Supervised, InsideIsChangedAndOutsideIsNot) {
  const auto outcome = shell("touch f; chmod 604 f; stat -c %a f; chmod 700 .. && echo changed");
  EXPECT_EQ(outcome.output, "604\n") << outcome.error;
}

TEST_F(Supervised, CommandsFromManyThreads) {
  std::vector<std::jthread> threads;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([this, n] {
      const std::string file = cat("f", n);
      for (int i = 0; i < 10; ++i) {
        const std::string script = cat("touch ", file, "; for m in 600 604 640; do chmod $m ", file,
                                       " & done; wait; chmod 644 ", file, "; stat -c %a ", file);
        EXPECT_EQ(shell(script).output, "644\n");
      }
    });
  }
}

TEST_F(Supervised, NamesFromManyThreads) {
  denied_ = "**/.env";
  std::vector<std::jthread> threads;
  for (int n = 0; n < 6; ++n) {
    threads.emplace_back([this, n] {
      for (int i = 0; i < 6; ++i) {
        const std::string script = cat("mkdir -p d", n, "; cd d", n, "; for f in a b c d; do (echo x > $f; cat $f > g$f; mv $f h$f; ",
                                       "ln -s h$f s$f; cat s$f; echo y > .env) & done; wait; ls -A | wc -l; rm -rf *");
        EXPECT_EQ(shell(script).output, "x\nx\nx\nx\n12\n");
      }
    });
  }
}

TEST_F(Supervised, OpensThatWaitForTheirOtherEnd) {
  denied_ = "**/.env";
  const auto outcome = shell("mkfifo f; (cat f; echo read) & (sleep 0.1; echo x > f) & echo first; wait");
  EXPECT_EQ(outcome.output, "first\nx\nread\n");
}

TEST_F(Supervised, EndedWhileOpensWait) {
  using namespace std::chrono_literals;
  denied_ = "**/.env";
  for (int i = 0; i < 20; ++i) {
    const launch::Deadline soon{std::chrono::steady_clock::now() + 30ms};
    const auto outcome = shell("mkfifo f; for i in 1 2 3; do (cat f) & (while :; do : > g$i; done) & done; wait", soon);
    EXPECT_TRUE(outcome.cancelled);
    std::filesystem::remove(directory_ + "/inside/f");
  }
}

TEST_F(Supervised, EndedWhileCallsWait) {
  using namespace std::chrono_literals;
  for (int i = 0; i < 20; ++i) {
    const launch::Deadline soon{std::chrono::steady_clock::now() + 20ms};
    const auto outcome = shell("touch f; while :; do chmod 600 f; done & while :; do chmod 644 f; done", soon);
    EXPECT_TRUE(outcome.cancelled);
  }
}

}  // namespace
}  // namespace nono::supervise
