#include "capability/ancestry.h"

#include <sys/stat.h>

#include "capability/fs_capability.h"

namespace nono::capability {
namespace {

bool identify(const std::string& path, kernel::Identity& identity) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) return false;
  identity = {st.st_dev, st.st_ino, st.st_mode};
  return true;
}

}  // namespace

Ancestry ancestry_of(const std::string& path) {
  Ancestry ancestry;
  ancestry.canonical = canonicalize_existing_part(path);
  std::string at = ancestry.canonical;
  for (bool is_self = true; !at.empty(); is_self = false) {
    kernel::Identity identity;
    if (identify(at, identity)) {
      ancestry.exists |= is_self;
      ancestry.self_and_up.push_back(identity);
    }
    if (at == "/") break;
    const std::size_t slash = at.rfind('/');
    if (slash == std::string::npos) break;
    at.resize(slash == 0 ? 1 : slash);
  }
  return ancestry;
}

}  // namespace nono::capability
