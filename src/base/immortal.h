// Immortal: a static object that exit() leaves alone. A host's threads may run our code until the very end of the
// process (Python's daemon threads do), while static objects are being destroyed.
// For static objects outside functions (inside, see base/once.h); any thread may use it as it may use what is in it.
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace nono {

template <class T>
class Immortal {
 public:
  template <class... Arguments>
  explicit Immortal(Arguments&&... arguments) {
    new (&storage_) T(std::forward<Arguments>(arguments)...);  // never destroyed
  }
  Immortal(const Immortal&) = delete;
  Immortal& operator=(const Immortal&) = delete;

  [[nodiscard]] T& operator*() { return *std::launder(reinterpret_cast<T*>(&storage_)); }
  [[nodiscard]] T* operator->() { return &**this; }

 private:
  alignas(T) std::array<std::byte, sizeof(T)> storage_;
};

}  // namespace nono
