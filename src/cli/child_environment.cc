#include "cli/child_environment.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "plan/explain.h"

namespace nono::cli {
namespace {

using launch::Environment;

// Who and where the user is, what the terminal can do, the language. Everything else (tokens,
// agent sockets, credentials) stays outside unless --env names it.
constexpr std::array<std::string_view, 13> kPassedOn = {
    "COLORTERM", "HOME", "LANG", "LOGNAME", "NO_COLOR", "PATH",
    "SHELL",     "TERM", "TMPDIR", "TZ",     "USER",    "LC_ALL"};
constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

bool is_passed_on(std::string_view name) {
  return name.starts_with("LC_") || std::ranges::find(kPassedOn, name) != kPassedOn.end();
}

const std::string* find(const Environment& environment, std::string_view name) {
  const auto found = std::ranges::find(environment, name, &Environment::value_type::first);
  return found == environment.end() ? nullptr : &found->second;
}

}  // namespace

Result<Environment> child_environment(const Environment& host, const std::vector<std::string>& requests) {
  Environment base;
  for (const auto& variable : host) {
    if (is_passed_on(variable.first)) base.push_back(variable);
  }
  if (find(base, "PATH") == nullptr) base.emplace_back("PATH", kDefaultPath);

  Environment extra;
  for (const auto& request : requests) {
    const std::size_t equals = request.find('=');
    if (equals != std::string::npos) {
      extra.emplace_back(request.substr(0, equals), request.substr(equals + 1));
    } else if (const std::string* value = find(host, request)) {
      extra.emplace_back(request, *value);
    } else {
      return fail(ErrorKind::kInvalidArgument, cat("--env: ", escape(request), " is not set here"),
                  "Give it a value with --env NAME=VALUE.");
    }
  }
  return launch::make_environment(base, extra);
}

void keep_git_working(Environment& environment, const capability::CapabilitySet& set) {
  const std::string* home = find(environment, "HOME");
  if (home == nullptr || find(environment, "GIT_CONFIG_GLOBAL") != nullptr) return;
  const auto is_closed = [&](std::string_view name) {
    const capability::Ancestry ancestry = capability::ancestry_of(cat(*home, name));
    return ancestry.exists &&
           !plan::explain_path(set.fs(), set.denials(), ancestry, capability::AccessMode::kRead).allowed();
  };
  if (is_closed("/.gitconfig") || is_closed("/.config/git/config")) {
    environment.emplace_back("GIT_CONFIG_GLOBAL", "/dev/null");
  }
}

std::string search_path(const Environment& environment) {
  const std::string* path = find(environment, "PATH");
  return path == nullptr ? std::string{} : *path;
}

}  // namespace nono::cli
