// The grep tool: lines that hold a literal text, in order of path and line, whatever the threads did. Files that hold a
// 0 byte are not text and have no lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/walk.h"

namespace nono::files {

struct GrepQuery {
  std::string pattern;
  std::optional<std::string> glob = {};        // of the files (path_glob.h)
  std::optional<std::uint64_t> max_count = {}; // of all matches
  std::vector<std::string> skipped = {};       // names of directories, unless it is the searched one's
};

struct MatchedLine {
  std::uint64_t number = 0;  // from 1
  std::string text;          // without its end
};
struct MatchedFile {
  std::string name;  // below the directory; empty: the searched path is the file
  std::vector<MatchedLine> lines;
};
struct Grepped {
  std::vector<MatchedFile> files;
  bool is_cut = false;  // there may be more: `max_count`, the time, or what fits into memory
};

// Failures: as Reach::open_any and PathGlob::of.
[[nodiscard]] Expected<Grepped> grep(Crew& crew, Reach& reach, const std::string& path, const GrepQuery& query, const Cancelled& cancelled);

}  // namespace nono::files
