#include "cli/grants.h"

#include "base/text.h"
#include "cli/system_paths.h"
#include "kernel/uapi.h"
#include "plan/landlock_rules.h"

namespace nono::cli {
namespace {

using capability::CapabilitySet;

Status add(CapabilitySet& set, const PathGrant& grant) {
  const bool is_file = grant.kind == GrantKind::kFile;
  Status added = is_file ? set.allow_file(grant.path, grant.access) : set.allow_path(grant.path, grant.access);
  if (added) return added;
  const Error& error = added.error();
  switch (error.kind) {
    case ErrorKind::kExpectedDirectory:
      return fail(ErrorKind::kExpectedDirectory,
                  cat(grant.flag, " takes a directory, and this is a file: ", grant.path),
                  cat("For one file use ", grant.flag, "-file."));
    case ErrorKind::kExpectedFile: {
      const std::string directory_flag = grant.flag.substr(0, grant.flag.size() - std::string_view("-file").size());
      return fail(ErrorKind::kExpectedFile,
                  cat(grant.flag, " takes a file, and this is a directory: ", grant.path),
                  cat("For a directory and all below it use ", directory_flag, "."));
    }
    default: return fail(error.kind, cat(grant.flag, ": ", error.message), error.hint);
  }
}

}  // namespace

Result<CapabilitySet> capabilities_of(const GrantArguments& grants) {
  CapabilitySet set;
  for (const auto& grant : grants.paths) {
    if (Status ok = add(set, grant); !ok) return tl::unexpected(ok.error());
  }
  if (grants.block_network) set.block_network();
  for (const auto port : grants.connect_ports) set.allow_tcp_connect_port(port);
  for (const auto port : grants.bind_ports) set.allow_bind_port(port);
  if (grants.system) {
    if (Status ok = add_system_paths(set); !ok) return tl::unexpected(ok.error());
  }
  set.deduplicate();
  return set;
}

kernel::HostFacts facts_for(plan::Isolation isolation) {
  const kernel::HostFacts facts = kernel::host_facts();
  const bool holds_the_tree = (plan::scopes(facts.landlock_abi) & kernel::kScopeSignal) != 0;
  if (isolation == plan::Isolation::kProcess) return facts;
  if (isolation == plan::Isolation::kAuto && holds_the_tree) return facts;
  return kernel::host_facts_with_namespaces();
}

Result<plan::Plan> plan_of(const GrantArguments& grants, const plan::Options& options) {
  const CapabilitySet set = NONO_TRY(capabilities_of(grants));
  return plan::make_plan(set, facts_for(options.isolation), options);
}

}  // namespace nono::cli
