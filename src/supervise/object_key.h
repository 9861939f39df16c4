// ObjectKey: tells an object of a file system from all others, also from one that has got its number after it was
// removed. Value.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace nono::supervise {

using ObjectKey = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::int64_t, std::uint32_t>;

// By a name in a directory, or with an empty name what the descriptor itself is. None where it is not there, and
// where the file system knows no time of birth: the object could not be told from a later one.
[[nodiscard]] std::optional<ObjectKey> key_of(int directory, const std::string& name);

// Objects that the command has made itself. Any thread. Bounded: what does not fit counts as another's.
class OwnObjects {
 public:
  void add(const std::optional<ObjectKey>& key);
  [[nodiscard]] bool contains(const std::optional<ObjectKey>& key) const;

 private:
  mutable std::mutex mutex_;
  std::set<ObjectKey> keys_;  // under the mutex
};

}  // namespace nono::supervise
