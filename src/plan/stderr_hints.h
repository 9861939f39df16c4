// What a command's error output seems to complain about. Pure text in, values out.
//
// The text is a stranger's: any bytes, any length, written to mislead. So nothing here is a fact,
// only the first 64 KiB and at most 50 paths count, and a path that is not clean UTF-8 or contains
// anything invisible is passed over.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capability/access_mode.h"

namespace nono::plan {

inline constexpr std::size_t kMaxHintText = 64 * 1024;
inline constexpr std::size_t kMaxHintPaths = 50;

struct PathComplaint {
  std::string path;  // as printed; may be relative
  capability::AccessMode access = capability::AccessMode::kRead;
};

struct StderrHints {
  std::vector<PathComplaint> missing;         // "No such file or directory"
  std::vector<PathComplaint> refused;         // "Permission denied" and the like
  std::optional<std::string> application;     // first line that names a failure of the program itself
  bool network = false;                       // some line complains about the network
};

[[nodiscard]] StderrHints read_stderr(std::string_view text);

}  // namespace nono::plan
