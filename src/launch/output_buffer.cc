#include "launch/output_buffer.h"

#include <algorithm>

#include "base/text.h"

namespace nono::launch {

void OutputBuffer::append(std::string_view bytes) {
  total_ += bytes.size();
  const std::size_t room = bound_ - data_.size();
  const std::size_t fits = std::min(room, bytes.size());
  data_.append(bytes.substr(0, fits));
  bytes.remove_prefix(fits);
  const std::size_t ring = bound_ - head_;
  if (bytes.empty() || ring == 0) return;
  if (bytes.size() > ring) bytes.remove_prefix(bytes.size() - ring);
  while (!bytes.empty()) {
    const std::size_t run = std::min(ring - write_at_, bytes.size());
    data_.replace(head_ + write_at_, run, bytes.substr(0, run));
    write_at_ = (write_at_ + run) % ring;
    bytes.remove_prefix(run);
  }
}

OutputBuffer::Kept OutputBuffer::take() {
  Kept kept;
  if (truncated()) {
    const auto ring = data_.begin() + static_cast<std::ptrdiff_t>(head_);
    std::rotate(ring, ring + static_cast<std::ptrdiff_t>(write_at_), data_.end());
    kept.dropped_bytes = total_ - data_.size();
    if (bound_ >= 128) {
      // The line takes the place of as many bytes at the start of the tail, which are dropped too;
      // a fixed width keeps its length independent of the number in it.
      constexpr std::size_t kDigits = 20;
      const std::size_t line_size = cat("\n[nono:  bytes dropped]\n").size() + kDigits;
      kept.dropped_bytes += line_size;
      std::string number = std::to_string(kept.dropped_bytes);
      number.insert(0, kDigits - number.size(), ' ');
      data_.replace(head_, line_size, cat("\n[nono: ", number, " bytes dropped]\n"));
    }
  }
  kept.bytes = std::move(data_);
  data_ = {};
  total_ = 0;
  write_at_ = 0;
  return kept;
}

}  // namespace nono::launch
