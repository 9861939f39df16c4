#include "capability/protected_names.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <mutex>

#include "base/fork_safe.h"
#include "base/immortal.h"
#include "base/text.h"

namespace nono::capability {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"git",   "direnv", "editors",  "agents",
                                                    "shell", "login",  "packages", "venv"};

// A checkout or an environment that the command makes itself is its own: `git clone` works.
enum class Own { kCounts, kIsFree };

struct Rule {
  std::string_view name;
  const char* pattern;
  Own own;
  const char* why;
};

constexpr std::array kRules = std::to_array<Rule>({
    {"git", "**/.git/config", Own::kIsFree, "names programs: core.fsmonitor, core.sshCommand, filters, aliases"},
    {"git", "**/.git/config.worktree", Own::kIsFree, "the same, for one worktree"},
    {"git", "**/.git/hooks", Own::kIsFree, "run at every commit, checkout and merge"},
    {"git", "**/.git/commondir", Own::kIsFree, "says where the config and the hooks are"},
    {"git", "**/.git/modules/**/config", Own::kIsFree, "of submodules"},
    {"git", "**/.git/modules/**/hooks", Own::kIsFree, "of submodules"},
    {"git", "**/.git/worktrees/*/commondir", Own::kIsFree, "says where a worktree's config and hooks are"},
    {"git", "**/.git/worktrees/*/config.worktree", Own::kIsFree, "of worktrees"},
    {"direnv", "**/.envrc", Own::kCounts, "runs when a shell enters the directory"},
    {"editors", "**/.vscode/tasks.json", Own::kCounts, "commands, some run when the folder is opened"},
    {"editors", "**/.vscode/launch.json", Own::kCounts, "what the debugger starts"},
    {"editors", "**/.vscode/settings.json", Own::kCounts, "paths of the programs that extensions start"},
    {"editors", "**/.idea", Own::kCounts, "run configurations, external tools, file watchers"},
    {"agents", "**/.claude", Own::kCounts, "hooks, permissions and commands of an agent"},
    {"agents", "**/.codex", Own::kCounts, "the same of another one"},
    {"agents", "**/.cursor", Own::kCounts, "rules and MCP servers"},
    {"agents", "**/.gemini", Own::kCounts, "settings and MCP servers"},
    {"agents", "**/.mcp.json", Own::kCounts, "MCP servers: programs that are started"},
    {"shell", "**/.bashrc", Own::kCounts, "run by every interactive bash"},
    {"shell", "**/.bash_profile", Own::kCounts, "run at login"},
    {"shell", "**/.bash_login", Own::kCounts, "run at login"},
    {"shell", "**/.bash_logout", Own::kCounts, "run when a login shell ends"},
    {"shell", "**/.bash_aliases", Own::kCounts, "read by many .bashrc"},
    {"shell", "**/.profile", Own::kCounts, "run at login, by sh and by display managers"},
    {"shell", "**/.zshrc", Own::kCounts, "run by every interactive zsh"},
    {"shell", "**/.zshenv", Own::kCounts, "run by every zsh"},
    {"shell", "**/.zprofile", Own::kCounts, "run at login"},
    {"shell", "**/.zlogin", Own::kCounts, "run at login"},
    {"shell", "**/.zlogout", Own::kCounts, "run when a login shell ends"},
    {"shell", "**/.config/fish", Own::kCounts, "run by every fish"},
    {"shell", "**/.xprofile", Own::kCounts, "run when a session begins"},
    {"shell", "**/.xinitrc", Own::kCounts, "run by startx"},
    {"shell", "**/.xsessionrc", Own::kCounts, "run when a session begins"},
    {"login", "**/.config/autostart", Own::kCounts, "programs of a desktop session"},
    {"login", "**/.config/systemd", Own::kCounts, "services of the user"},
    {"login", "**/.local/bin", Own::kCounts, "on the PATH, often in front"},
    {"login", "**/.pam_environment", Own::kCounts, "variables of every login"},
    {"login", "**/.ssh", Own::kCounts, "who may log in (authorized_keys), commands (config, rc)"},
    {"packages", "**/.npmrc", Own::kCounts, "registries, scripts and shells of npm"},
    {"packages", "**/.yarnrc", Own::kCounts, "may name the yarn that is run"},
    {"packages", "**/.yarnrc.yml", Own::kCounts, "the same, and plugins"},
    {"packages", "**/.pypirc", Own::kCounts, "where packages are uploaded, and as whom"},
    {"packages", "**/.gitconfig", Own::kCounts, "names programs, as .git/config does, for every repository"},
    {"packages", "**/.config/git", Own::kCounts, "the same"},
    {"packages", "**/pip.conf", Own::kCounts, "where packages come from"},
    {"venv", "**/.venv/bin/python*", Own::kIsFree, "run by editors and by whoever uses the environment"},
    {"venv", "**/.venv/bin/activate*", Own::kIsFree, "run by every shell that enters it"},
    {"venv", "**/.venv/pyvenv.cfg", Own::kIsFree, "says which Python and which packages"},
    {"venv", "**/venv/bin/python*", Own::kIsFree, "as above"},
    {"venv", "**/venv/bin/activate*", Own::kIsFree, "as above"},
    {"venv", "**/venv/pyvenv.cfg", Own::kIsFree, "as above"},
});

std::uint32_t bits_of(std::string_view name) {
  if (name == "all") return (1U << kNames.size()) - 1;
  const auto found = std::ranges::find(kNames, name);
  return found == kNames.end() ? 0 : 1U << (found - kNames.begin());
}

Result<std::uint32_t> known_bits(std::string_view name) {
  if (const std::uint32_t bits = bits_of(name); bits != 0) return bits;
  return fail(ErrorKind::kInvalidArgument, cat("Unknown protected name: ", escape(name)),
              cat("Known are ", join(kNames, ", "), " and all."));
}

Denial denial_of(const Rule& rule) {
  auto names = NamePattern::parse(rule.pattern);
  if (!names) std::abort();  // a bug in the table
  Denial denial{rule.pattern, rule.pattern, *std::move(names), Closes::kChanges, std::string(rule.name)};
  denial.unless_made = rule.own == Own::kIsFree;
  return denial;
}

ForkSafeMutex made_mutex;
Immortal<std::map<std::uint32_t, DenialList::Shared>> made;  // by chosen names

}  // namespace

std::vector<std::string> ProtectedNames::known() { return {kNames.begin(), kNames.end()}; }

Status ProtectedNames::add(std::string_view name) {
  chosen_ |= NONO_TRY(known_bits(name));
  return {};
}

Status ProtectedNames::remove(std::string_view name) {
  chosen_ &= ~NONO_TRY(known_bits(name));
  return {};
}

bool ProtectedNames::contains(std::string_view name) const { return name != "all" && (chosen_ & bits_of(name)) != 0; }

std::vector<std::string> ProtectedNames::names() const {
  std::vector<std::string> names;
  for (const std::string_view name : kNames) {
    if (contains(name)) names.emplace_back(name);
  }
  return names;
}

DenialList::Shared ProtectedNames::rules() const {
  if (empty()) return nullptr;
  const std::lock_guard lock(made_mutex);
  DenialList::Shared& rules = (*made)[chosen_];
  if (rules == nullptr) {
    DenialList::Denials list;
    for (const Rule& rule : kRules) {
      if (contains(rule.name)) list.push_back(denial_of(rule));
    }
    rules = std::make_shared<const DenialList::Denials>(std::move(list));
  }
  return rules;
}

}  // namespace nono::capability
