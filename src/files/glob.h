// The glob tool: files by name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "files/walk.h"

namespace nono::files {

enum class Incomplete { kNo, kBudget, kUnreadable };  // kBudget: time, or more than can be told

struct Globbed {
  std::vector<Entry> matches;  // sorted; names below the directory
  Incomplete incomplete = Incomplete::kNo;
};

// Of deepagents since 0.7.7: regular files. Before: directories as well.
enum class Kinds { kFiles, kAll };

struct GlobQuery {
  std::string pattern;
  Depth depth = Depth::kAny;
  Kinds kinds = Kinds::kFiles;
};

// Failures: as Reach::open_directory and PathGlob::of.
[[nodiscard]] Expected<Globbed> glob(Crew& crew, Reach& reach, const std::string& path, const GlobQuery& query, const Cancelled& cancelled);

}  // namespace nono::files
