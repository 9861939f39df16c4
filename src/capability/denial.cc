#include "capability/denial.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "capability/path_resolution.h"

namespace nono::capability {

Result<Denial> Denial::of(const std::string& path_or_pattern) {
  const std::string& text = path_or_pattern;
  if (NamePattern::is_pattern(text)) {
    NamePattern names = NONO_TRY(NamePattern::parse(text));
    std::string resolved = names.to_string();
    return Denial{text, std::move(resolved), std::move(names)};
  }
  if (text.empty()) return tl::unexpected<Error>(resolution_error(text, ENOENT));
  if (text.find('\0') != std::string::npos) return tl::unexpected<Error>(resolution_error(text, EINVAL));
  std::string resolved = canonicalize_existing_part(text);
  NamePattern names = NamePattern::literal(resolved);
  return Denial{text, std::move(resolved), std::move(names)};
}

Denial Denial::literal(const std::string& canonical, Closes closes) {
  return Denial{canonical, canonical, NamePattern::literal(canonical), closes};
}

void Denial::look() {
  struct stat st {};
  object.reset();
  if (::lstat(resolved.c_str(), &st) != 0) {
    found = Found::kNothing;
    return;
  }
  object = kernel::Identity{st.st_dev, st.st_ino, st.st_mode};
  found = S_ISLNK(st.st_mode)                          ? Found::kLink
          : !S_ISDIR(st.st_mode) && st.st_nlink > 1 ? Found::kSeveralNames
                                                       : Found::kOneName;
}

}  // namespace nono::capability
