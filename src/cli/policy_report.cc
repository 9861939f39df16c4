#include "cli/policy_report.h"

#include "base/text.h"
#include "cli/known_sockets.h"
#include "plan/boundaries.h"

namespace nono::cli {
namespace {

std::string padded(std::string_view text, std::size_t width) {
  return cat(text, std::string(width > text.size() ? width - text.size() : 1, ' '));
}

std::string command_line(const launch::Command& command) {
  std::string line;
  for (const auto& word : command.argv) line += cat(line.empty() ? "" : " ", escape(word));
  return line;
}

const char* places(capability::SocketScope scope) {
  switch (scope) {
    case capability::SocketScope::kFile: return "";
    case capability::SocketScope::kDirChildren: return "/*";
    case capability::SocketScope::kDirSubtree: return "/...";
  }
  return "";
}

std::string environment(const plan::Plan& plan) {
  std::string names;
  for (const auto& variable : plan.environment) names += cat(names.empty() ? "" : " ", escape(variable.first));
  return names;
}

}  // namespace

std::string policy_report(const plan::Plan& plan, const launch::Command& command) {
  std::string text = cat("Nothing was run. This is what would be enforced.\n\n",
                         "  command      ", command_line(command), "\n",
                         "  program      ", escape(command.program), "\n",
                         "  directory    ", escape(command.directory), "\n",
                         "  isolation    ", plan::isolation_name(plan), "\n",
                         "  kernel       Linux ", plan.facts.kernel_release, ", Landlock ABI ",
                         plan.facts.landlock_abi, "\n",
                         "  environment  ", environment(plan), "\n\nGrants\n");
  for (const auto& grant : plan.grants) {
    text += cat("  ", padded(to_string(grant.access), 12), escape(grant.name()), grant.is_file || grant.pattern ? "" : "/...",
                "  (", grant.source.to_string(), ")\n");
  }
  for (const auto& grant : plan.unix_sockets) {
    text += cat("  ", padded(to_string(grant.mode), 12), "unix socket ", escape(grant.resolved), places(grant.scope), "\n");
    if (const std::string danger = danger_of_grant(grant); !danger.empty()) text += cat("      ", escape(danger), "\n");
  }
  if (plan.grants.empty() && plan.unix_sockets.empty()) text += "  none\n";
  for (const auto& denial : plan.denials.own()) {
    if (denial.protected_by.empty()) text += cat("  ", padded("denied", 12), escape(denial.resolved), "\n");
  }
  text += "\nBoundaries, and what enforces each\n";
  for (const auto& boundary : plan::boundaries_of(plan)) {
    const bool open = boundary.enforced_by == "nothing";
    text += cat("  ", boundary.name, "\n      [", open ? "NOT LIMITED" : boundary.enforced_by, "]  ",
                boundary.detail, "\n");
  }
  return text;
}

}  // namespace nono::cli
