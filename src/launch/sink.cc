#include "launch/sink.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace nono::launch {
namespace {

std::size_t capture_bound(const Output& output) {
  const auto* capture = std::get_if<Capture>(&output);
  return capture == nullptr ? 0 : capture->max_bytes;
}

}  // namespace

Sink::Sink(const Output& output) : capture_(capture_bound(output)) {
  // With a bound of nothing the command would wait for ever.
  if (const auto* stream = std::get_if<Stream>(&output)) stream_bound_ = std::max<std::size_t>(stream->max_bytes, 1);
}

std::size_t Sink::room() const {
  if (stream_bound_ == 0) return std::numeric_limits<std::size_t>::max();
  return stream_bound_ - std::min(stream_bound_, stream_.size());
}

void Sink::append(std::string_view bytes) {
  if (stream_bound_ == 0) {
    capture_.append(bytes);
  } else {
    stream_.append(bytes);
  }
}

std::string Sink::take_stream() { return std::exchange(stream_, {}); }

}  // namespace nono::launch
