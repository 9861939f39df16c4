// OutputTail: the last bytes of an output, each known by its position in the whole.
// Value; memory never exceeds twice the bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nono::launch {

class OutputTail {
 public:
  explicit OutputTail(std::size_t bound) : bound_(bound) {}

  void append(std::string_view bytes);

  // Position of the first byte that is kept, and behind the last one.
  [[nodiscard]] std::uint64_t begin() const { return end_ - ring_.size(); }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  // What is kept of it from `position` on.
  [[nodiscard]] std::string from(std::uint64_t position) const;

 private:
  std::size_t bound_;
  std::uint64_t end_ = 0;
  std::string ring_;  // the byte at position p has the place p % bound_
};

}  // namespace nono::launch
