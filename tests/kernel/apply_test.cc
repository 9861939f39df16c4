// apply() against the real kernel, with threads that Python cannot have. Each case in a process of its own.
#include "launch/apply.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "launch/all_threads.h"
#include "plan/plan.h"

namespace nono::launch {
namespace {

capability::CapabilitySet programs() {
  capability::CapabilitySet set;
  EXPECT_TRUE(set.allow_path("/usr", capability::AccessMode::kRead));
  set.block_network();
  return set;
}

Result<Applied> confine() {
  plan::Options options;
  options.subject = plan::Subject::kThisProcess;
  const auto plan = plan::make_plan(programs(), kernel::host_facts(), options);
  if (!plan) return tl::unexpected(plan.error());
  auto applied = apply(*plan);
  if (!applied) std::fprintf(stderr, "%s\n", applied.error().message.c_str());
  return applied;
}

bool is_confined() {
  const int fd = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  const bool refused = fd < 0 && errno == EACCES;
  if (fd >= 0) ::close(fd);
  return refused;
}

// As the kernel counts them. A sanitizer has one of its own from the first one on.
int threads_now() {
  std::thread([] {}).join();
  ::usleep(20'000);  // a joined thread is listed for a moment still
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}

// Steps of ThreadSteps: as little as there may be in one.
int steps_run = 0;
[[gnu::no_sanitize("thread", "address")]] long nothing(void*) { return 0; }
[[gnu::no_sanitize("thread", "address")]] long refusal(void*) { return -7; }
[[gnu::no_sanitize("thread", "address")]] long third_fails(void*) {
  return __atomic_add_fetch(&steps_run, 1, __ATOMIC_SEQ_CST) == 3 ? -12 : 0;
}

// What the child answers is its exit code: 0 for well.
int in_a_process(int (*what)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(what());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

TEST(Apply, ReachesThreadsThatStartMeanwhile) {
  EXPECT_EQ(in_a_process([] {
    static std::atomic<bool> applied{false};
    static std::atomic<int> open{0};
    static std::atomic<int> started{0};
    // Each starts the next one and ends: nobody is there for long.
    static void* (*next)(void*) = [](void*) -> void* {
      ++started;
      if (applied.load()) {
        if (!is_confined()) ++open;
        return nullptr;
      }
      pthread_t thread{};
      if (pthread_create(&thread, nullptr, next, nullptr) == 0) pthread_detach(thread);
      return nullptr;
    };
    for (int i = 0; i < 3; ++i) next(nullptr);
    while (started.load() < 100) std::this_thread::yield();
    const auto result = confine();
    applied = true;
    if (!result) return 1;
    const int before = started.load();
    while (started.load() < before + 3) std::this_thread::yield();
    ::usleep(100'000);
    return open.load() == 0 && is_confined() ? 0 : 2;
  }), 0);
}

TEST(Apply, SaysHowManyAreBound) {
  EXPECT_EQ(in_a_process([] {
    static std::atomic<bool> go{false};
    static std::atomic<int> confined{0};
    const int others = threads_now();
    std::vector<std::thread> threads;
    for (int i = 0; i < 200; ++i) {
      threads.emplace_back([] {
        go.wait(false);
        if (is_confined()) ++confined;
      });
    }
    const auto result = confine();
    go = true;
    go.notify_all();
    for (auto& thread : threads) thread.join();
    return result && result->threads == others + 200 && confined == 200 ? 0 : 1;
  }), 0);
}

TEST(Apply, HoldsNobodyWhoOwnsTheHeap) {
  EXPECT_EQ(in_a_process([] {
    static std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([] {
        while (!stop) std::free(std::malloc(100'000));
      });
    }
    const auto result = confine();
    stop = true;
    for (auto& thread : threads) thread.join();
    return result ? 0 : 1;
  }), 0);
}

TEST(Apply, WorksWhenTheFirstThreadHasEnded) {
  EXPECT_EQ(in_a_process([] {
    static const int before = threads_now();
    std::thread([] {
      ::usleep(50'000);
      const auto result = confine();
      ::_exit(result && result->threads == before && is_confined() ? 0 : 1);
    }).detach();
    ::syscall(SYS_exit, 0);
    return 1;
  }), 0);
}

TEST(Apply, ReachesAThreadOnAnAlternateStack) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "expected: ThreadSanitizer blocks every signal in a handler";
#endif
  EXPECT_EQ(in_a_process([] {
    static std::atomic<bool> ready{false};
    static std::atomic<bool> go{false};
    static std::atomic<bool> confined{false};
    std::thread thread([] {
      constexpr std::size_t kSize = 65'536;
      // Mapped, because AddressSanitizer unmaps what it finds at the thread's end.
      void* memory = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      const stack_t stack{memory, 0, kSize};
      ::sigaltstack(&stack, nullptr);
      struct sigaction action {};
      action.sa_flags = SA_ONSTACK;
      action.sa_handler = [](int) {
        ready = true;
        while (!go) ::usleep(1000);
        confined = is_confined();
      };
      ::sigaction(SIGUSR1, &action, nullptr);
      ::pthread_kill(pthread_self(), SIGUSR1);
    });
    while (!ready) std::this_thread::yield();
    const auto result = confine();
    go = true;
    thread.join();
    return result && confined ? 0 : 1;
  }), 0);
}

TEST(AllThreads, ASignalFromElsewhereDoesNothing) {
  EXPECT_EQ(in_a_process([] {
    static std::atomic<bool> stop{false};
    const int before = threads_now();
    std::thread thread([] {
      while (!stop) std::this_thread::yield();
    });
    std::thread sender([] {
      while (!stop) {
        siginfo_t info{};
        info.si_code = SI_QUEUE;
        ::syscall(SYS_rt_sigqueueinfo, ::getpid(), 33, &info);
      }
    });
    int good = 0;
    for (int i = 0; i < 200; ++i) {
      const auto outcome = on_every_thread({nothing, nothing, nothing, nullptr});
      if (outcome.end == ThreadsOutcome::End::kDone && outcome.threads == before + 2) ++good;
    }
    stop = true;
    thread.join();
    sender.join();
    return good == 200 ? 0 : 1;
  }), 0);
}

TEST(AllThreads, ARefusalStopsAllSteps) {
  EXPECT_EQ(in_a_process([] {
    static std::atomic<bool> stop{false};
    std::thread thread([] {
      while (!stop) std::this_thread::yield();
    });
    const auto outcome = on_every_thread({refusal, third_fails, third_fails, nullptr});
    stop = true;
    thread.join();
    return outcome.end == ThreadsOutcome::End::kProbe && outcome.error == -7 && steps_run == 0 ? 0 : 1;
  }), 0);
}

TEST(AllThreads, AFailureOfOneIsCounted) {
  EXPECT_EQ(in_a_process([] {
    static std::atomic<bool> stop{false};
    const int before = threads_now();
    std::vector<std::thread> threads;
    for (int i = 0; i < 5; ++i) {
      threads.emplace_back([] {
        while (!stop) ::usleep(1000);
      });
    }
    const auto outcome = on_every_thread({nothing, nothing, third_fails, nullptr});
    stop = true;
    for (auto& thread : threads) thread.join();
    const bool counted = outcome.end == ThreadsOutcome::End::kOther && outcome.failed == 1 && outcome.error == -12;
    return counted && steps_run == before - 1 + 5 && outcome.threads == before + 5 ? 0 : 1;
  }), 0);
}

}  // namespace
}  // namespace nono::launch
