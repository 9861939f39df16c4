#include "base/fork_safe.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace nono {
namespace {

ForkSafeMutex a;
ForkSafeMutex b;

// Threads that take both, in the two orders one after the other (never at once: that would be their own deadlock).
TEST(ForkSafeMutex, IsFreeInAFork) {
  std::atomic<bool> stop = false;
  std::mutex turn;
  const auto work = [&](ForkSafeMutex& outer, ForkSafeMutex& inner) {
    while (!stop) {
      const std::lock_guard mine(turn);
      const std::lock_guard one(outer);
      const std::lock_guard two(inner);
      std::this_thread::yield();
    }
  };
  std::thread first([&] { work(a, b); });
  std::thread second([&] { work(b, a); });
  for (int i = 0; i < 200; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);  // what waits forever ends by a signal
      const std::lock_guard one(a);
      const std::lock_guard two(b);
      ::_exit(0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "fork " << i << " ended with signal " << WTERMSIG(status);
  }
  stop = true;
  first.join();
  second.join();
}

}  // namespace
}  // namespace nono
