#include "base/fork_safe.h"

#include <pthread.h>

namespace nono {
namespace {

constinit ForkSafeMutex* first = nullptr;  // grows while the program is loaded

}  // namespace

ForkSafeMutex::ForkSafeMutex() : next_(first) {
  if (first == nullptr) ::pthread_atfork(lock_all, unlock_all, unlock_all);
  first = this;
}

// Whatever order their users take them in: nothing is waited for while another one is held.
void ForkSafeMutex::lock_all() {
  ForkSafeMutex* wanted = first;
  while (wanted != nullptr) {
    wanted->lock();
    wanted = wanted->try_lock_others();
  }
}

void ForkSafeMutex::unlock_all() {
  for (ForkSafeMutex* mutex = first; mutex != nullptr; mutex = mutex->next_) mutex->unlock();
}

// With this one held. Null: all are. Otherwise the one that is not free, and none is held.
ForkSafeMutex* ForkSafeMutex::try_lock_others() {
  for (ForkSafeMutex* mutex = first; mutex != nullptr; mutex = mutex->next_) {
    if (mutex == this || mutex->try_lock()) continue;
    for (ForkSafeMutex* held = first; held != mutex; held = held->next_) {
      if (held != this) held->unlock();
    }
    unlock();
    return mutex;
  }
  return nullptr;
}

}  // namespace nono
