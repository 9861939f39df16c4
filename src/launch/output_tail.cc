#include "launch/output_tail.h"

#include <algorithm>

namespace nono::launch {

void OutputTail::append(std::string_view bytes) {
  if (bytes.size() > bound_) {
    const std::size_t passed = bytes.size() - bound_;
    // Never seen again, but the ring has to be full where it wraps around.
    ring_.resize(bound_);
    end_ += passed;
    bytes.remove_prefix(passed);
  }
  while (!bytes.empty()) {
    const auto place = static_cast<std::size_t>(end_ % bound_);
    const std::size_t run = std::min(bound_ - place, bytes.size());
    ring_.replace(place, run, bytes.substr(0, run));
    end_ += run;
    bytes.remove_prefix(run);
  }
}

std::string OutputTail::from(std::uint64_t position) const {
  std::string bytes;
  position = std::max(position, begin());
  while (position < end_) {
    const auto place = static_cast<std::size_t>(position % bound_);
    const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(ring_.size() - place, end_ - position));
    bytes.append(ring_, place, run);
    position += run;
  }
  return bytes;
}

}  // namespace nono::launch
