#include "policy/expand_path.h"

#include "base/text.h"

namespace nono::policy {
namespace {

// What follows `prefix` if it is the whole first component of `path`: empty or "/...".
std::optional<std::string_view> after(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (!path.empty() && path.front() != '/') return std::nullopt;
  return path;
}

Result<std::string> below(std::string_view name, const std::optional<std::string>& value,
                          std::string_view rest) {
  if (!value) {
    return fail(ErrorKind::kConfigParse, cat("Configuration parse error: ", name, " is not set"),
                cat("Set ", name, " or write the path without it."));
  }
  if (!value->starts_with('/')) {
    return fail(ErrorKind::kConfigParse, cat("Configuration parse error: ", name,
                                             " must be an absolute path, got: ", escape(*value)));
  }
  std::string_view base = *value;
  while (!rest.empty() && base.ends_with('/')) base.remove_suffix(1);
  return cat(base, rest);
}

}  // namespace

Result<std::string> expand_path(std::string_view path, const Environment& environment) {
  for (const std::string_view home : {"~", "$HOME"}) {
    if (const auto rest = after(path, home)) return below("HOME", environment.home, *rest);
  }
  if (const auto rest = after(path, "$TMPDIR")) {
    const bool unset = !environment.tmpdir || environment.tmpdir->empty();
    return below("TMPDIR", unset ? "/tmp" : environment.tmpdir, *rest);
  }
  return std::string(path);
}

}  // namespace nono::policy
