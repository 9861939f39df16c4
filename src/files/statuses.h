// Statuses: what stat says of each name in a directory, found by two threads. One stat of a cached file takes a microsecond;
// to wake another processor takes as long as to open a directory and read it, so the helper is asked for before that and
// looks out for the names.
//
// The owner goes forward and the helper backward until they meet. The owner waits for nothing: what the helper has in hand
// then, the owner finds out itself. The helper, which may come late, goes when it sees that all is known.
// Resource, shared by the two; the directory is closed with it. An attacker chooses the names, and changes what they are.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "base/fd.h"

namespace nono::files {

struct FileStatus {
  mode_t mode = 0;         // 0: nothing is there any more
  std::uint64_t size = 0;  // bytes
  timespec modified{};
};
[[nodiscard]] inline FileStatus status_of(const struct stat& st) {
  return {st.st_mode, static_cast<std::uint64_t>(st.st_size), st.st_mtim};
}

class Statuses {
 public:
  // For the helper; while one is there another has nothing to do. It looks out for names for a moment only. False: it came too
  // late, or too soon.
  bool help();
  // For the owner, when it has begun: is there so much to do that a helper which has gone, or never came, had better be asked
  // for again?
  [[nodiscard]] bool wants_help() const;

  // For the owner, each once, in this order. Links are not followed.
  void begin(Fd directory, std::vector<std::string> names);
  [[nodiscard]] std::vector<FileStatus> finish();  // in the order of the names

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  enum class Stage { kNoNames, kNames, kAllKnown };

  [[nodiscard]] FileStatus find(const std::string& name) const;

  std::atomic<Stage> stage_{Stage::kNoNames};
  std::atomic<bool> is_helped_{false};  // the helper is there
  Fd directory_;                        // set before kNames, as the names
  std::vector<std::string> names_;
  std::vector<FileStatus> helpers_;     // from the last name on
  std::atomic<std::size_t> helped_{0};  // so many of these are known
};

}  // namespace nono::files
