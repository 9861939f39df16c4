// OutputBuffer: what a child wrote, within a bound. Beyond it the first half and the last half are
// kept and the rest is counted, so that neither the cause nor the end of a long output is lost.
// Value; memory never exceeds the bound plus a small constant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nono::launch {

class OutputBuffer {
 public:
  explicit OutputBuffer(std::size_t bound) : bound_(bound), head_(bound - bound / 2) {}

  void append(std::string_view bytes);

  [[nodiscard]] bool truncated() const { return total_ > bound_; }

  struct Kept {
    std::string bytes;               // at most `bound` long
    std::uint64_t dropped_bytes = 0; // not in `bytes`
  };
  // When something was dropped, a line "[nono: N bytes dropped]" stands between head and tail
  // (for bounds of 128 bytes and more). Empties the buffer.
  [[nodiscard]] Kept take();

 private:
  std::size_t bound_;
  std::size_t head_;          // bytes of data_ that stay for good once the bound is reached
  std::size_t write_at_ = 0;  // next byte to overwrite in the tail ring
  std::uint64_t total_ = 0;
  std::string data_;
};

}  // namespace nono::launch
