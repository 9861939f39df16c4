// The walk of the glob and grep tools: the files below a directory, found by several threads of the crew. No link is
// followed on the way, and each directory is opened from the one that is searched, which cannot be left.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "files/budget.h"
#include "files/crew.h"
#include "files/list.h"
#include "files/path_glob.h"
#include "files/reach.h"

namespace nono::files {

struct Wanted {
  const PathGlob* pattern = nullptr;        // none: every file
  std::vector<std::string> skipped = {};    // names of directories that are not entered
  bool directories = false;                 // are found, too
  bool links = false;                       // to regular files in the searched directory are found, too
  bool status = false;                      // sizes and times are wanted
};

struct Walked {
  std::vector<Entry> found;    // sorted by path; Entry::name is the path below the directory
  bool is_cut = false;         // the budget was spent, or there is more than can be told
  bool is_unreadable = false;  // a directory could not be entered
};

// `root`: an open directory.
[[nodiscard]] Walked walk(Crew& crew, const Reach& reach, const Opened& root, const Wanted& wanted, const Budget& budget);

// A name below an open directory, without following a link. -1 and errno.
[[nodiscard]] int open_below(const Fd& directory, const std::string& path, int flags);

}  // namespace nono::files
