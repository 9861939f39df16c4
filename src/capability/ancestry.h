// Ancestry: what a path is and lies below, by identity, as the kernel walks it when it looks for
// Landlock rules. Asks the file system; any thread.
#pragma once

#include <string>
#include <vector>

#include "kernel/fd_table.h"

namespace nono::capability {

struct Ancestry {
  std::string canonical;                    // of the existing part, the rest re-appended
  bool exists = false;
  std::vector<kernel::Identity> self_and_up;  // existing components only, deepest first
};

[[nodiscard]] Ancestry ancestry_of(const std::string& path);

}  // namespace nono::capability
