// Output that is taken while a command runs, and the thread that drives a Job: for the sanitizers too. What Python
// sees of it is in tests/python: test_stream.py, test_jobs.py.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kernel/host_facts.h"
#include "launch/job.h"
#include "plan/plan.h"
#include "supervise/launch.h"

namespace nono::launch {
namespace {

using namespace std::chrono_literals;
using Progress = Child::Progress;

constexpr std::size_t kMiB = 1024 * 1024;

std::unique_ptr<Child> shell(const std::string& script, Output output = Stream{}, bool error_is_output = false) {
  capability::CapabilitySet set;
  for (const char* path : {"/usr", "/bin", "/lib", "/lib64"}) {
    if (::access(path, F_OK) == 0) {
      EXPECT_TRUE(set.allow_path(path, capability::AccessMode::kRead));
    }
  }
  set.block_network();
  plan::Options options;
  options.environment.emplace_back("PATH", "/usr/bin:/bin");
  auto plan = plan::make_plan(set, kernel::host_facts_with_namespaces(), options);
  EXPECT_TRUE(plan) << plan.error().message;
  Command command;
  command.program = "/bin/sh";
  command.argv = {"sh", "-c", script};
  command.directory = "/";
  command.output = std::move(output);
  command.error = Stream{};
  command.error_is_output = error_is_output;
  auto child = supervise::launch(*std::move(plan), std::move(command));
  EXPECT_TRUE(child) << child.error().message;
  return *std::move(child);
}

std::unique_ptr<Job> job(std::unique_ptr<Child> child, std::optional<Job::Clock::time_point> deadline = {},
                         std::optional<std::size_t> keep = {}) {
  auto made = Job::start(std::move(child), deadline, keep);
  EXPECT_TRUE(made) << made.error().message;
  return *std::move(made);
}

void wait_for(const Job& job) {
  pollfd event{job.event_descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&event, 1, 60'000), 1);
}

std::string all_of(Job& job) {
  std::string all;
  for (;;) {
    wait_for(job);
    const Job::Taken taken = job.take();
    all += taken.output + taken.error;
    if (taken.ended) return all;
  }
}

std::ptrdiff_t threads() { return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}); }

// --- a Child ---------------------------------------------------------------------------------

TEST(Streams, BothStreamsInOneHaveTheOrderOfWriting) {
  const std::string script = "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done";
  for (const Output& sink : {Output(Capture{}), Output(Stream{})}) {
    const auto child = shell(script, sink, true);
    while (child->poll(std::nullopt) != Progress::kEnded) continue;
    const std::string streamed = child->take_output();
    const Outcome outcome = child->take_outcome();
    EXPECT_EQ(outcome.output + streamed, "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nout 4\nerr 4\nout 5\nerr 5\n");
    EXPECT_EQ(outcome.error, "");
  }
}

TEST(Streams, OutputIsTakenBeforeTheEnd) {
  const auto child = shell("echo first; sleep 0.2; echo second >&2");
  std::string output;
  bool ended = false;
  while (!ended && output.empty()) {
    ended = child->poll(std::nullopt) == Progress::kEnded;
    output += child->take_output();
  }
  EXPECT_EQ(output, "first\n");
  while (child->poll(std::nullopt) != Progress::kEnded) continue;
  EXPECT_EQ(child->take_error(), "second\n");
  EXPECT_EQ(child->take_outcome().output, "");
}

// Whether it is polled by itself or through its descriptor, a full stream keeps nobody busy and loses nothing.
TEST(Streams, ACommandWaitsForWhoeverTakes) {
  for (const bool by_descriptor : {false, true}) {
    const auto child = shell("yes | head -c 3000000", Stream{4096});
    const int events = by_descriptor ? child->event_descriptor().value() : -1;
    std::size_t size = 0;
    std::size_t turns = 0;
    for (Progress progress{}; progress != Progress::kEnded;) {
      if (by_descriptor) {
        pollfd event{events, POLLIN, 0};
        ASSERT_EQ(::poll(&event, 1, 60'000), 1);
      }
      progress = child->poll(by_descriptor ? std::optional(0ns) : std::nullopt);
      const std::string chunk = child->take_output();
      if (progress != Progress::kEnded) {
        EXPECT_LE(chunk.size(), 4096U);
      }
      size += chunk.size();
      ++turns;
    }
    EXPECT_EQ(size, 3'000'000U);
    EXPECT_GT(turns, 100U);
    EXPECT_EQ(child->take_outcome().exit_status, 0);
  }
}

TEST(Streams, NobodyIsBusyWhileAStreamIsFull) {
  const auto child = shell("yes", Stream{1});
  const int events = child->event_descriptor().value();
  while (!child->has_output()) {
    pollfd event{events, POLLIN, 0};
    ASSERT_EQ(::poll(&event, 1, 60'000), 1);
    (void)child->poll(0ns);
  }
  pollfd event{events, POLLIN, 0};
  EXPECT_EQ(::poll(&event, 1, 200), 0);
  EXPECT_EQ(child->poll(0ns), Progress::kRunning);
  child->kill();
  while (child->poll(std::nullopt) != Progress::kEnded) continue;
  EXPECT_GT(child->take_output().size(), 1000U);  // what lay in the pipe
}

// --- a Job -----------------------------------------------------------------------------------

TEST(Jobs, AStreamLosesNothingHoweverSlowlyItIsTaken) {
  const auto running = job(shell("yes | head -c 3000000; echo err >&2", Stream{1000}));
  std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(running->end());
  EXPECT_EQ(all_of(*running).size(), 3'000'004U);
  EXPECT_EQ(running->end()->outcome.exit_status, 0);
  EXPECT_EQ(all_of(*running), "");
}

TEST(Jobs, WhatIsKeptIsTheLast) {
  const auto running = job(shell("yes | head -c 3000000; echo the end"), {}, 1000);
  wait_for(*running);
  const Job::Kept kept = running->kept_from(0);
  EXPECT_TRUE(kept.ended);
  EXPECT_EQ(kept.end, 3'000'008U);
  EXPECT_EQ(kept.bytes.size(), 1000U);
  EXPECT_TRUE(kept.bytes.ends_with("y\nthe end\n"));
  EXPECT_EQ(running->last(4).bytes, "end\n");
  EXPECT_EQ(running->kept_from(3'000'004).bytes, "end\n");
  EXPECT_EQ(running->end()->outcome.dropped_output_bytes, 2'999'008U);
}

TEST(Jobs, TheDeadlineHoldsThoughNobodyTakes) {
  const auto running = job(shell("echo early; yes >&2", Stream{10}), Job::Clock::now() + 300ms);
  std::this_thread::sleep_for(200ms);
  while (!running->end()) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(running->end()->expired);
  EXPECT_EQ(running->end()->outcome.signal, SIGKILL);
  EXPECT_TRUE(all_of(*running).starts_with("early\n"));
}

TEST(Jobs, WhoAsksNeedNotWaitForAFlood) {
  const auto running = job(shell("yes"), {}, kMiB);
  std::vector<std::jthread> askers;
  std::atomic<std::uint64_t> seen = 0;
  for (int n = 0; n < 4; ++n) {
    askers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) seen = std::max(seen.load(), running->last(10).end);
    });
  }
  askers.clear();
  EXPECT_FALSE(running->end());
  running->kill();
  wait_for(*running);
  EXPECT_GE(running->kept_from(0).end, seen);
}

TEST(Jobs, StopsFromSeveralThreadsAtOnce) {
  const auto running = job(shell("sleep 1000 & setsid sleep 1000 & yes", Stream{10}));
  std::vector<std::jthread> stoppers;
  for (int n = 0; n < 4; ++n) {
    stoppers.emplace_back([&] {
      running->kill();
      wait_for(*running);
    });
  }
  stoppers.clear();
  (void)all_of(*running);
  EXPECT_TRUE(running->end()->outcome.cancelled);
}

TEST(Jobs, NoThreadIsLeftOfADroppedOne) {
  const auto before = threads();
  for (int n = 0; n < 20; ++n) {
    const auto running = job(shell("yes"), {}, 10);
    EXPECT_GT(threads(), before);
  }
  EXPECT_EQ(threads(), before);
}

TEST(Jobs, AForkLeavesThemAlone) {
  auto running = job(shell("echo early; sleep 0.3; echo late"), {}, 1000);
  auto flood = job(shell("yes"), {}, 10);  // its lock is held most of the time
  for (int n = 0; n < 10; ++n) {
    const pid_t fork = ::fork();
    if (fork == 0) {
      const bool is_right = !running->is_ours();
      running.reset();
      flood.reset();
      ::_exit(is_right ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(fork, &status, 0), fork);
    EXPECT_EQ(status, 0);
  }
  wait_for(*running);
  EXPECT_EQ(running->kept_from(0).bytes, "early\nlate\n");
  EXPECT_FALSE(flood->end());
}

TEST(Jobs, WhatFailsToStartSaysSoAtTheEnd) {
  auto plan = plan::make_plan(capability::CapabilitySet(), kernel::host_facts_with_namespaces(), {});
  Command command;
  command.program = "/bin/true";
  command.argv = {"true"};
  command.directory = "/";
  command.output = Stream{};
  const auto kept = job(supervise::launch(*std::move(plan), std::move(command)).value(), {}, 1000);
  wait_for(*kept);
  EXPECT_EQ(kept->kept_from(0).bytes, "nono: exec failed: Permission denied (os error 13)\n");
  EXPECT_EQ(kept->end()->outcome.setup_failure.exit_code, 127);
}

}  // namespace
}  // namespace nono::launch
