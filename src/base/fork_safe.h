// ForkSafeMutex: a mutex that is free in a fork of the process. The fork has the thread that called fork() and no
// other; what another one had locked would stay so. Here fork() waits until all of these are free.
// For static objects only: one is never taken off the list of them. Whoever holds one does not fork.
#pragma once

#include <mutex>

namespace nono {

class ForkSafeMutex {
 public:
  ForkSafeMutex();
  ForkSafeMutex(const ForkSafeMutex&) = delete;
  ForkSafeMutex& operator=(const ForkSafeMutex&) = delete;

  void lock() { mutex_.lock(); }
  bool try_lock() { return mutex_.try_lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  static void lock_all();
  static void unlock_all();
  ForkSafeMutex* try_lock_others();

  std::mutex mutex_;
  ForkSafeMutex* next_;
};

}  // namespace nono
