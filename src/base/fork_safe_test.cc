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

// The threads take them in the other order than the list has them: a fork that held one and waited for the next would
// wait forever.
TEST(ForkSafeMutex, IsFreeInAFork) {
  std::atomic<bool> stop = false;
  const auto work = [&] {
    while (!stop) {
      const std::lock_guard one(a);
      const std::lock_guard two(b);
      std::this_thread::yield();
    }
  };
  std::thread first(work);
  std::thread second(work);
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
