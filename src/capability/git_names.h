// What git would run or believe of the repositories that a grant holds, as literal denials of changes: patterns cannot
// say where a worktree's or a bare repository's config and hooks are, nor that a directory which is no repository
// yet shall not become one behind its owner's back.
//
// Asks the file system. What it reads there (`.git` files, `commondir`) an earlier command may have written: it is
// read up to a bound, and can only add denials.
#pragma once

#include <vector>

#include "capability/denial.h"
#include "capability/fs_capability.h"

namespace nono::capability {

// For every directory among `grants` that may be written to:
//   no .git          it may not be made
//   .git directory   its config, hooks and commondir, though a command that makes a .git elsewhere may write those
//   .git file        itself, and the same of the directories that it and their commondir name
//   a repository     (HEAD, objects, refs) its own config, hooks and commondir
[[nodiscard]] std::vector<Denial> git_names_here(const std::vector<FsCapability>& grants);

}  // namespace nono::capability
