// Answer: what a waiting call gets. Resource: may hold the descriptor that was opened for it.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>

#include "base/fd.h"

namespace nono::supervise {

struct Answer {
  int error = 0;               // errno, or 0
  int result = 0;              // what the call returns, if neither an error nor a descriptor
  Fd opened;                   // becomes the caller's, and its number there the result
  bool close_on_exec = false;  // over there
  bool is_sole = false;        // ours is closed before the call returns: the file may be executed next, or be a FIFO
  bool later = false;          // would have to wait here: to be tried again, with `opened`, while the call waits
  // Of `opened`, where they were needed.
  std::optional<struct stat> status = {};
  std::string place = {};

  [[nodiscard]] static Answer of(int error) { return {error, 0, Fd(), false, false, false}; }
  [[nodiscard]] static Answer not_yet(Fd opened = Fd()) { return {0, 0, std::move(opened), false, false, true}; }
};

}  // namespace nono::supervise
