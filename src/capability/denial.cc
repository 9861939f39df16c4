#include "capability/denial.h"

#include <cerrno>

#include "capability/path_resolution.h"

namespace nono::capability {

Result<Denial> Denial::of(const std::string& path) {
  if (path.empty()) return tl::unexpected<Error>(resolution_error(path, ENOENT));
  if (path.find('\0') != std::string::npos) return tl::unexpected<Error>(resolution_error(path, EINVAL));
  return Denial{path, canonicalize_existing_part(path)};
}

bool Denial::covers(const std::string& canonical) const { return is_within_folded(resolved, canonical); }

}  // namespace nono::capability
