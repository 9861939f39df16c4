#include "launch/environment.h"

#include <unistd.h>

#include <map>
#include <string_view>

#include "base/text.h"

namespace nono::launch {
namespace {

bool steers_the_loader(std::string_view name) {
  return name.starts_with("LD_") || name.starts_with("DYLD_") || name == "LIBPATH" ||
         name == "SHLIB_PATH";
}

Status check(const std::string& name, const std::string& value) {
  const auto bad = [](std::string message) { return fail(ErrorKind::kInvalidArgument, std::move(message)); };
  if (name.empty()) return bad("environment variable name must not be empty");
  if (name.find('\0') != std::string::npos) return bad("environment variable name contains null byte");
  if (name.find('=') != std::string::npos) {
    return bad(cat("environment variable name '", escape(name), "' must not contain '='"));
  }
  if (value.find('\0') != std::string::npos) {
    return bad(cat("environment variable value for '", escape(name), "' contains null byte"));
  }
  if (steers_the_loader(name)) {
    return bad(cat("environment variable '", escape(name), "' is not allowed in sandboxed_exec"));
  }
  return {};
}

}  // namespace

Environment host_environment() {
  Environment list;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    list.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return list;
}

Result<Environment> make_environment(const Environment& base, const Environment& extra) {
  std::map<std::string, std::string> merged;
  for (const auto* source : {&base, &extra}) {
    for (const auto& [name, value] : *source) {
      if (const Status ok = check(name, value); !ok) return tl::unexpected(ok.error());
      merged.insert_or_assign(name, value);
    }
  }
  return Environment(merged.begin(), merged.end());
}

}  // namespace nono::launch
