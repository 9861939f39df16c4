// Sink: where the host puts what it reads from one of the command's pipes.
//
// A Capture keeps what fits its bound and never fills up. A Stream holds bytes until somebody takes them, and is
// full at its bound: what is in the pipe then stays there, and a command that writes on has to wait.
// Value. What is appended is the command's, byte for byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "launch/command.h"
#include "launch/output_buffer.h"

namespace nono::launch {

class Sink {
 public:
  explicit Sink(const Output& output);

  // Bytes that may be read now; 0 only for a Stream that is full.
  [[nodiscard]] std::size_t room() const;
  // Also beyond `room`: what the pipe still held when the tree had ended.
  void append(std::string_view bytes);

  [[nodiscard]] bool holds_stream() const { return !stream_.empty(); }
  // What the Stream has brought since the last time.
  [[nodiscard]] std::string take_stream();
  [[nodiscard]] OutputBuffer::Kept take_capture() { return capture_.take(); }

 private:
  std::size_t stream_bound_ = 0;  // 0: it is no Stream
  std::string stream_;
  OutputBuffer capture_;
};

}  // namespace nono::launch
