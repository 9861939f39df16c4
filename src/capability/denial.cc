#include "capability/denial.h"

#include <fcntl.h>
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

void Denial::look_at(int at, const char* name) {
  struct stat st {};
  saw(::fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? &st : nullptr);
}

void Denial::saw(const struct stat* there) {
  object.reset();
  found = Found::kNothing;
  if (there == nullptr) return;
  object = kernel::Identity{there->st_dev, there->st_ino, there->st_mode};
  found = S_ISLNK(there->st_mode)                             ? Found::kLink
          : !S_ISDIR(there->st_mode) && there->st_nlink > 1 ? Found::kSeveralNames
                                                               : Found::kOneName;
}

}  // namespace nono::capability
