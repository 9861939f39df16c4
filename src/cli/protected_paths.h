// Paths that no message may suggest to grant: what the built-in policy denies (keys, tokens, shell
// start files), ways out of a sandbox, and every directory that holds one of those.
// Values; reads HOME and TMPDIR once, at construction.
#pragma once

#include <string>
#include <vector>

namespace nono::cli {

class ProtectedPaths {
 public:
  ProtectedPaths();
  // `path` is canonical.
  [[nodiscard]] bool contains(const std::string& path) const;
  // Programs and settings of the system: may be suggested for reading, never for writing.
  [[nodiscard]] static bool is_system(const std::string& path);

 private:
  std::vector<std::string> paths_;    // absolute: themselves, all below, all above
  std::vector<std::string> in_homes_; // "/.ssh": protected wherever a path has these components
};

}  // namespace nono::cli
