#include "cli/setup.h"

#include <array>

#include "base/text.h"
#include "cli/terminal.h"
#include "plan/plan.h"

namespace nono::cli {
namespace {

struct Step {
  int abi;
  const char* linux_release;
  const char* brings;
  const char* without;
};
constexpr std::array<Step, 9> kSteps{{
    {2, "5.19", "renaming and linking across directories", "always refused"},
    {3, "6.2", "truncate", "held by seccomp: refused unless through a descriptor opened for writing"},
    {4, "6.7", "TCP ports", "--allow-connect and --allow-bind are refused; --block-net works, by seccomp"},
    {5, "6.10", "device ioctl", "not limited on granted devices"},
    {6, "6.12", "signals and abstract sockets across the border", "the process tree needs a PID namespace"},
    {7, "6.15", "denials in the kernel's audit log", "not logged"},
    {8, "7.0", "confining all threads of a running process", "each thread confines itself, in a Landlock domain of its own"},
    {9, "7.1", "reaching Unix sockets by path", "held by a supervisor; without one AF_UNIX sockets are refused, by seccomp"},
    {10, "7.2", "UDP ports", "UDP is refused altogether wherever the network is limited, by seccomp"},
}};

std::string line(std::string_view name, std::string_view value) {
  return cat("  ", name, std::string(name.size() < 13 ? 13 - name.size() : 1, ' '), value, "\n");
}

std::string landlock(const kernel::HostFacts& facts) {
  if (facts.landlock_abi == 0) return cat("not available: ", os_error(facts.landlock_error));
  std::string text = cat("ABI ", facts.landlock_abi);
  std::string fixed;
  for (unsigned bit = 0; bit < 32; ++bit) {
    if ((facts.landlock_errata >> bit) & 1) fixed += cat(fixed.empty() ? "" : ", ", bit + 1);
  }
  return text + (fixed.empty() ? "; the kernel names no errata as fixed" : cat("; errata fixed: ", fixed));
}

std::string namespaces(const kernel::HostFacts& facts) {
  if (!facts.private_view) return cat("not possible here: ", facts.private_view_error);
  return facts.view_needs_user_namespace ? "PID and mount namespace, inside a user namespace"
                                         : "PID and mount namespace, with this user's own rights";
}

std::string missing(const kernel::HostFacts& facts) {
  std::string text;
  for (const Step& step : kSteps) {
    if (facts.landlock_abi >= step.abi) continue;
    text += cat("  ", step.brings, ", by Landlock since Linux ", step.linux_release, " (ABI ", step.abi,
                ")\n      here: ", step.without, "\n");
  }
  return text;
}

Result<plan::Plan> try_plan(const kernel::HostFacts& facts) {
  return plan::make_plan(capability::CapabilitySet{}, facts);
}

}  // namespace

std::string setup_text(const kernel::HostFacts& facts) {
  const bool scoped = facts.landlock_abi >= 6;
  std::string text = cat("Linux ", facts.kernel_release, ", uid ", facts.uid, "\n\n");
  text += line("Landlock", landlock(facts));
  text += line("signal scope", scoped ? "yes: a process tree is held without namespaces" : "no (ABI 6, Linux 6.12)");
  text += line("seccomp", facts.seccomp_filter ? "filters work" : "no filters in this kernel");
  text += line("namespaces", namespaces(facts));
  text += line("cgroups", "not used: limits are rlimits, per process");
  if (const std::string lacking = missing(facts); facts.landlock_abi > 0 && !lacking.empty()) {
    text += cat("\nWhat a newer kernel would add\n", lacking);
  }
  const auto plan = try_plan(facts);
  if (plan) {
    const char* by_default = plan->tree_kill == plan::TreeKill::kPidNamespace ? "namespaces" : "process";
    text += cat("\nA sandbox can be made here; --isolation auto means ", by_default, ".\n");
  } else {
    text += cat("\nNo sandbox can be made here: ", plan.error().message, "\n");
    if (!plan.error().hint.empty()) text += cat(plan.error().hint, "\n");
  }
  return text;
}

int setup() {
  const kernel::HostFacts facts = kernel::host_facts_with_namespaces();
  print(setup_text(facts));
  return try_plan(facts) ? 0 : 1;
}

}  // namespace nono::cli
