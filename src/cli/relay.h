// Relay: a pipe that the command writes its stderr to, passed on byte for byte as it comes; the end
// of it is kept so that a denial can be explained afterwards.
//
// Never waits: a reader that does not read holds the command up, not the deadline. The bytes are
// the command's own and go on unchanged; what is kept is untrusted.
#pragma once

#include <poll.h>

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace nono::cli {

class Relay {
 public:
  // `target` is borrowed.
  [[nodiscard]] static Result<Relay> make(int target, std::size_t keep);

  [[nodiscard]] int writer() const { return writer_.get(); }
  // Once the command has its own copy.
  void close_writer() { writer_.reset(); }

  // What to poll for: bytes to read while none are pending, room for them otherwise.
  [[nodiscard]] pollfd wanted() const;
  // Moves what can be moved now. True while there was progress.
  bool step();
  // Nothing more comes from the command; this comes after all that has.
  void last_words(std::string_view text);
  // Everything has been passed on, or nobody reads it any more.
  [[nodiscard]] bool finished() const { return !reader_.valid() && pending_.empty(); }

  // The last bytes that went through, at most as many as were to be kept.
  [[nodiscard]] std::string_view kept() const {
    return std::string_view(kept_).substr(kept_.size() > keep_ ? kept_.size() - keep_ : 0);
  }

 private:
  Relay(Fd reader, Fd writer, int target, std::size_t keep)
      : reader_(std::move(reader)), writer_(std::move(writer)), target_(target), keep_(keep) {}
  bool read_some();
  bool write_some();
  void open_target();
  void keep(std::string_view bytes);

  Fd reader_;
  Fd writer_;
  int target_;
  Fd own_target_;  // the same file, opened anew without waiting
  bool target_is_open_ = false;
  bool target_is_socket_ = false;
  std::size_t keep_;
  std::string pending_;
  std::string kept_;
};

}  // namespace nono::cli
