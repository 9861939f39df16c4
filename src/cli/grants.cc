#include "cli/grants.h"

#include "base/text.h"
#include "capability/name_pattern.h"
#include "cli/planted_links.h"
#include "cli/system_paths.h"

namespace nono::cli {
namespace {

using capability::CapabilitySet;

Status add(CapabilitySet& set, const PathGrant& grant) {
  Status added = grant.kind == GrantKind::kFile ? set.allow_file(grant.path, grant.access) : set.allow_path(grant.path, grant.access);
  if (added) return added;
  // A path that exists is one, whatever is in its name.
  const bool may_be_pattern = grant.kind == GrantKind::kDirectory && added.error().kind == ErrorKind::kPathNotFound;
  if (may_be_pattern && capability::NamePattern::is_pattern(grant.path)) added = set.allow_glob(grant.path, grant.access);
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

Status add(CapabilitySet& set, const SocketGrant& grant) {
  Status added = set.allow_unix_socket(grant.path, grant.scope, grant.mode);
  if (added) return added;
  const Error& error = added.error();
  const char* bind = grant.mode == capability::SocketMode::kConnectBind ? "-bind" : "";
  switch (error.kind) {
    case ErrorKind::kExpectedUnixSocket:
      return fail(error.kind, cat(grant.flag, ": ", error.message),
                  error.hint.empty() ? ""
                                     : cat("For the sockets directly in a directory use --allow-unix-socket-dir", bind,
                                           ", for all below it --allow-unix-socket-subtree", bind, "."));
    case ErrorKind::kExpectedDirectory:
      return fail(error.kind, cat(grant.flag, ": ", error.message), cat("For one socket use --allow-unix-socket", bind, "."));
    default: return fail(error.kind, cat(grant.flag, ": ", error.message), error.hint);
  }
}

}  // namespace

Result<CapabilitySet> capabilities_of(const GrantArguments& grants) {
  CapabilitySet set;
  for (const auto& grant : grants.paths) {
    if (Status ok = add(set, grant); !ok) return tl::unexpected(ok.error());
  }
  for (const auto& grant : grants.sockets) {
    if (Status ok = add(set, grant); !ok) return tl::unexpected(ok.error());
  }
  if (Status ok = check_planted_links(grants, set); !ok) return tl::unexpected(ok.error());
  for (const auto& path : grants.denied) {
    if (Status ok = set.deny_path(path); !ok) {
      return fail(ok.error().kind, cat("--deny: ", ok.error().message), ok.error().hint);
    }
  }
  if (Status ok = set.protect({"all"}); !ok) return tl::unexpected(ok.error());
  for (const auto& name : grants.unprotected) {
    if (Status ok = set.unprotect(name); !ok) {
      return fail(ok.error().kind, cat("--unprotect: ", ok.error().message), ok.error().hint);
    }
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

}  // namespace nono::cli
