// The symbolic links directly in "/": /bin -> usr/bin and the like, which interpreters and loaders are
// found by. Read once per process; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace nono::kernel {

struct RootLink {
  std::string path;      // "/bin"
  std::string target;    // what it says: "usr/bin"
  std::string leads_to;  // canonical: "/usr/bin"
};
using RootLinks = std::shared_ptr<const std::vector<RootLink>>;

[[nodiscard]] RootLinks root_links();

}  // namespace nono::kernel
