// expand_path: the few variables that a path in a policy document may start with.
//
// A leading `~`, `$HOME` or `$TMPDIR`, alone or before a `/`, becomes the value from
// `environment`; every other text is returned as it is. The caller passes the values, so a
// document resolves alike whatever the process environment says meanwhile. An unset or empty
// TMPDIR means /tmp, as it does to the programs that will run. Neither symlinks nor `..` are
// looked at here. Pure. A stranger controls `path`; `environment` is the user's own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nono::policy {

struct Environment {
  std::optional<std::string> home;
  std::optional<std::string> tmpdir;
};

[[nodiscard]] Result<std::string> expand_path(std::string_view path, const Environment& environment);

}  // namespace nono::policy
