// The launch against the real kernel: runs as root and as an ordinary user.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "launch/child.h"
#include "plan/plan.h"
#include "supervise/launch.h"
#include "run.h"

namespace nono::launch {
namespace {

using capability::AccessMode;
using capability::CapabilitySet;
using namespace std::chrono_literals;

CapabilitySet system_reads() {
  CapabilitySet set;
  for (const char* path : {"/usr", "/bin", "/lib", "/lib64"}) {
    if (::access(path, F_OK) == 0) {
      EXPECT_TRUE(set.allow_path(path, AccessMode::kRead));
    }
  }
  EXPECT_TRUE(set.allow_file("/dev/null", AccessMode::kReadWrite));
  set.block_network();
  return set;
}

plan::Plan plan_for(const CapabilitySet& set, plan::Isolation isolation, plan::Options options = {}) {
  options.isolation = isolation;
  options.environment.emplace_back("PATH", "/usr/bin:/bin");
  auto plan = plan::make_plan(set, kernel::host_facts_with_namespaces(), options);
  if (!plan) ADD_FAILURE() << plan.error().message;
  return plan.value();
}

Outcome shell(const plan::Plan& plan, const std::string& script, Deadline deadline = {},
              Input input = NoInput{}) {
  Command command;
  command.program = "/bin/sh";
  command.argv = {"sh", "-c", script};
  command.directory = "/";
  command.input = std::move(input);
  auto outcome = run(plan, std::move(command), deadline, [] { return false; });
  if (!outcome) ADD_FAILURE() << outcome.error().message;
  return outcome.value();
}

Deadline in(std::chrono::milliseconds time) { return {std::chrono::steady_clock::now() + time}; }

int processes_named(const std::string& marker) {
  const std::string count = "pgrep -c -f '" + marker + "' > /dev/null; pgrep -f '^sleep " + marker + "' | wc -l";
  FILE* pipe = ::popen(count.c_str(), "r");
  int n = -1;
  if (::fscanf(pipe, "%d", &n) != 1) n = -1;
  ::pclose(pipe);
  return n;
}

// A number of seconds that no other test sleeps.
std::string unique_sleep() {
  static int next = 0;
  return std::to_string(600000 + (::getpid() % 10000) * 10 + next++);
}

class Launch : public ::testing::TestWithParam<plan::Isolation> {
 protected:
  plan::Plan plan(plan::Options options = {}) { return plan_for(system_reads(), GetParam(), std::move(options)); }
};
INSTANTIATE_TEST_SUITE_P(Isolation, Launch,
                         ::testing::Values(plan::Isolation::kProcess, plan::Isolation::kNamespaces),
                         [](const auto& parameter) {
                           return parameter.param == plan::Isolation::kProcess ? "Process" : "Namespaces";
                         });

TEST_P(Launch, RunsAndCapturesBothStreams) {
  const Outcome outcome = shell(plan(), "echo out; echo err >&2; exit 7");
  EXPECT_EQ(outcome.output, "out\n");
  EXPECT_EQ(outcome.error, "err\n");
  EXPECT_EQ(outcome.exit_status, 7);
  EXPECT_EQ(outcome.signal, 0);
}

TEST_P(Launch, ReportsTheSignalThatKilled) {
  EXPECT_EQ(shell(plan(), "kill -9 $$").signal, SIGKILL);
  EXPECT_EQ(shell(plan(), "kill -ABRT $$").signal, SIGABRT);
}

TEST_P(Launch, FeedsStdinAndClosesIt) {
  const std::string megabyte(1 << 20, 'x');
  const Outcome outcome = shell(plan(), "wc -c", {}, InputBytes{megabyte});
  EXPECT_EQ(outcome.output, "1048576\n") << outcome.error;
  EXPECT_EQ(shell(plan(), "cat; echo end").output, "end\n");
}

TEST_P(Launch, RefusesWhatIsNotGranted) {
  const Outcome outcome = shell(plan(), "cat /etc/passwd");
  EXPECT_NE(outcome.exit_status, 0);
  EXPECT_EQ(outcome.output, "");
  EXPECT_NE(outcome.error.find("Permission denied"), std::string::npos) << outcome.error;
}

TEST_P(Launch, NothingOutlivesTheCommand) {
  const std::string a = unique_sleep();
  const Outcome outcome = shell(plan(), "sleep " + a + " & setsid sleep " + a + " & (sleep " + a +
                                            " &) ; (setsid setsid sleep " + a + " >/dev/null 2>&1 &) ; sleep 0.2; echo done");
  EXPECT_EQ(outcome.output, "done\n");
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_EQ(processes_named(a), 0);
}

TEST_P(Launch, TheDeadlineEndsTheTreeAndKeepsWhatWasRead) {
  const std::string a = unique_sleep();
  const Outcome outcome = shell(plan(), "echo early; setsid sleep " + a + " & sleep " + a, in(300ms));
  EXPECT_TRUE(outcome.cancelled);
  EXPECT_EQ(outcome.signal, SIGKILL);
  EXPECT_EQ(outcome.output, "early\n");
  EXPECT_EQ(processes_named(a), 0);
}

TEST_P(Launch, EndsWhenItsHostIsKilled) {
  const std::string a = unique_sleep();
  const plan::Plan p = plan();
  const pid_t host = ::fork();
  if (host == 0) {
    (void)shell(p, "setsid sleep " + a + " & (sleep " + a + " &); sleep " + a);
    ::_exit(0);
  }
  for (int i = 0; i < 200 && processes_named(a) < 3; ++i) ::usleep(10000);
  EXPECT_EQ(processes_named(a), 3);
  ::kill(host, SIGKILL);
  ::waitpid(host, nullptr, 0);
  ::usleep(100000);
  EXPECT_EQ(processes_named(a), 0);
}

TEST_P(Launch, BoundsTheOutput) {
  Command command;
  command.program = "/bin/sh";
  command.argv = {"sh", "-c", "yes | head -c 10000000; echo the end"};
  command.directory = "/";
  command.output = Capture{1000};
  const Outcome outcome = run(plan(), std::move(command), {}, [] { return false; }).value();
  EXPECT_EQ(outcome.output.size(), 1000U);
  EXPECT_TRUE(outcome.output.ends_with("the end\n"));
  EXPECT_EQ(outcome.dropped_output_bytes + outcome.output.size() - 44, 10000008U);
}

TEST_P(Launch, AFailedExecIsReported) {
  Command command;
  command.program = "/etc/passwd";
  command.argv = {"x"};
  command.directory = "/";
  const Outcome outcome = run(plan(), std::move(command), {}, [] { return false; }).value();
  EXPECT_TRUE(outcome.failed_to_start);
  EXPECT_EQ(outcome.exit_status, 127);
  EXPECT_EQ(outcome.setup_failure.message, "nono: exec failed: Permission denied (os error 13)\n");
}

TEST_P(Launch, OnlyStandardDescriptorsAreOpen) {
  CapabilitySet set = system_reads();
  ASSERT_TRUE(set.allow_path("/proc", AccessMode::kRead));
  const Outcome outcome = shell(plan_for(set, GetParam()), "ls /proc/self/fd");
  EXPECT_EQ(outcome.output, "0\n1\n2\n3\n") << outcome.error;  // 3 is ls reading the directory
}

std::string own_status(const char* field) {
  return std::string("while read -r k v; do [ $k = ") + field + ": ] && echo $v; done < /proc/self/status";
}

// As root the child keeps the file-ownership capabilities at most, through exec too.
TEST_P(Launch, KeepsNoCapabilityThatThePlanDoesNotName) {
  CapabilitySet set = system_reads();
  ASSERT_TRUE(set.allow_path("/proc", AccessMode::kRead));
  const plan::Plan plan = plan_for(set, GetParam());
  const std::string kept = ::geteuid() == 0 ? "000000000000001b\n" : "0000000000000000\n";
  EXPECT_EQ(shell(plan, own_status("CapEff")).output, kept);
  EXPECT_EQ(shell(plan, own_status("CapPrm")).output, kept);
  EXPECT_EQ(shell(plan, "/bin/sh -c '" + own_status("CapPrm") + "'").output, kept);
  EXPECT_EQ(shell(plan, own_status("CapAmb")).output, "0000000000000000\n");
  EXPECT_EQ(shell(plan, own_status("CapInh")).output, "0000000000000000\n");
  EXPECT_EQ(shell(plan, own_status("NoNewPrivs")).output, "1\n");
}

TEST_P(Launch, WritesOnlyWhereGranted) {
  char inside[] = "/tmp/nono-inside-XXXXXX";
  char outside[] = "/tmp/nono-outside-XXXXXX";
  ASSERT_NE(::mkdtemp(inside), nullptr);
  ASSERT_NE(::mkdtemp(outside), nullptr);
  CapabilitySet set = system_reads();
  ASSERT_TRUE(set.allow_path(inside, AccessMode::kReadWrite));
  const Outcome outcome = shell(plan_for(set, GetParam()),
                                std::string("cd ") + inside + " && mkdir d && echo hi > d/f && mv d/f g && cat g; echo no > " +
                                    outside + "/f");
  EXPECT_EQ(outcome.output, "hi\n") << outcome.error;
  EXPECT_NE(::access((std::string(outside) + "/f").c_str(), F_OK), 0);
  ASSERT_EQ(::system((std::string("rm -rf ") + inside + " " + outside).c_str()), 0);
}

std::filesystem::path directory_with(const std::string& file) {
  std::string name = "/tmp/nono-launch-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "mkdtemp";
  std::ofstream(name + "/" + file) << file;
  return name;
}

// The waiting process is restricted by the last command's rules: it must not serve under others.
TEST_P(Launch, TakesTurnsBetweenTwoSetsOfRules) {
  const auto one = directory_with("one");
  const auto two = directory_with("two");
  const auto plan_with = [&](const std::filesystem::path& path) {
    CapabilitySet set = system_reads();
    EXPECT_TRUE(set.allow_path(path, AccessMode::kRead));
    return plan_for(set, GetParam());
  };
  const plan::Plan with_one = plan_with(one);
  const plan::Plan with_two = plan_with(two);
  const std::string script = "cat " + (one / "one").string() + "; cat " + (two / "two").string() + "; :";
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(shell(with_one, script).output, "one");
    EXPECT_EQ(shell(with_two, script).output, "two");
    if (i % 3 == 0) {
      EXPECT_EQ(shell(with_two, script).output, "two");
    }
  }
  std::filesystem::remove_all(one);
  std::filesystem::remove_all(two);
}

// What the host has changed since makes the kept keeper useless: its attempt is given up, and nothing
// of it is taken for the next one's.
TEST_P(Launch, AnAbandonedAttemptLeavesNothingBehind) {
  if (::geteuid() != 0) GTEST_SKIP() << "expected: needs root";
  plan::Options options;
  options.uid = 65534;
  options.gid = 65534;
  const plan::Plan as_nobody = plan(options);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  for (rlim_t less = 0; less < 10; ++less) {
    const rlimit limit{before.rlim_cur - less, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const Outcome outcome = shell(as_nobody, "id -u; ulimit -n");
    EXPECT_EQ(outcome.output, "65534\n" + std::to_string(limit.rlim_cur) + "\n") << outcome.error;
    EXPECT_FALSE(outcome.failed_to_start);
    EXPECT_EQ(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

// Nothing to read is not something to read.
TEST_P(Launch, ClosedStreamsKeepNobodyBusy) {
  Command command;
  command.program = "/bin/sh";
  command.argv = {"sh", "-c", "exec >&- 2>&-; sleep 0.3"};
  command.directory = "/";
  const auto child = supervise::launch(plan(), std::move(command));
  ASSERT_TRUE(child);
  int turns = 0;
  while ((*child)->poll(std::nullopt) != Child::Progress::kEnded) ++turns;
  EXPECT_LT(turns, 10);
  EXPECT_EQ((*child)->take_outcome().exit_status, 0);
}

TEST_P(Launch, CancelledBeforeItHasBegun) {
  for (int i = 0; i < 50; ++i) {
    Command command;
    command.program = "/bin/sleep";
    command.argv = {"sleep", unique_sleep()};
    command.directory = "/";
    const auto child = supervise::launch(plan(), std::move(command));
    ASSERT_TRUE(child);
    (*child)->kill();
    while ((*child)->poll(std::nullopt) != Child::Progress::kEnded) {
    }
    const Outcome outcome = (*child)->take_outcome();
    EXPECT_TRUE(outcome.cancelled);
    EXPECT_EQ(outcome.signal, SIGKILL);
  }
}

TEST_P(Launch, SixteenAtATimeFromManyThreads) {
  const plan::Plan p = plan();
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        const Outcome outcome = shell(p, "echo $$");
        EXPECT_EQ(outcome.exit_status, 0) << outcome.setup_failure.message << outcome.error;
        good += outcome.exit_status == 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 320);
}

}  // namespace
}  // namespace nono::launch
