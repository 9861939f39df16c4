#include "cli/socket_answer.h"

#include "base/text.h"

namespace nono::cli {
namespace {

using Reason = plan::SocketAnswer::Reason;

const char* flag_of(const capability::UnixSocketCapability& grant) {
  const bool bind = grant.mode == capability::SocketMode::kConnectBind;
  switch (grant.scope) {
    case capability::SocketScope::kFile: return bind ? "--allow-unix-socket-bind" : "--allow-unix-socket";
    case capability::SocketScope::kDirChildren: return bind ? "--allow-unix-socket-dir-bind" : "--allow-unix-socket-dir";
    case capability::SocketScope::kDirSubtree:
      return bind ? "--allow-unix-socket-subtree-bind" : "--allow-unix-socket-subtree";
  }
  return "";
}

// Never for a socket that is known to lead out of the sandbox.
std::string flag_that_allows(const SocketFacts& facts, plan::SocketUse use) {
  if (!facts.danger.empty()) return {};
  const auto path = shell_word(facts.canonical);
  if (!path) return {};
  return cat(use == plan::SocketUse::kBind ? "--allow-unix-socket-bind " : "--allow-unix-socket ", *path);
}

}  // namespace

Answer answer_for_abstract_socket(const std::string& name) {
  Answer answer;
  answer.reason = "unix_socket_not_granted";
  answer.subject = name;
  answer.details = cat("The abstract Unix socket ", name, " is denied: abstract sockets outside cannot be granted.");
  answer.warning = cat("For a file of this name ask about ./", name, ".");
  return answer;
}

Answer answer_for_socket(const std::string& path, plan::SocketUse use, const plan::SocketAnswer& said,
                         const SocketFacts& facts) {
  const bool bind = use == plan::SocketUse::kBind;
  const std::string name = facts.canonical == path ? path : cat(path, " (which is ", facts.canonical, ")");
  const std::string doing = cat(bind ? "Making the Unix socket " : "Connecting to the Unix socket ", name);
  Answer answer;
  answer.allowed = said.allowed();
  answer.subject = facts.canonical;
  switch (said.reason) {
    case Reason::kGranted:
      answer.reason = "unix_socket_granted";
      answer.granted = said.grant->resolved;
      answer.details = cat(doing, " is allowed: ", flag_of(*said.grant), " ", said.grant->resolved, " covers it.");
      break;
    case Reason::kWritable:
      answer.reason = "granted_path";
      answer.granted = said.granted_path;
      answer.details = cat(doing, " is allowed: ", said.granted_path, " is granted for writing.");
      break;
    case Reason::kConnectOnly:
      answer.reason = "insufficient_access";
      answer.granted = said.grant->resolved;
      answer.details = cat(doing, " is denied: ", flag_of(*said.grant), " ", said.grant->resolved, " is without bind.");
      break;
    case Reason::kDeniedPath:
      answer.reason = "denied_path";
      answer.denied_by = said.denied_path;
      answer.protected_by = said.protected_by;
      answer.details = said.protected_by.empty()
                           ? cat(doing, " is denied: --deny ", said.denied_path, " beats every grant around it.")
                           : cat(doing, " is denied: ", said.denied_path, " is protected (", said.protected_by, ").");
      break;
    case Reason::kNoSockets:
      answer.reason = "unix_socket_not_granted";
      answer.details = cat(doing, " is denied: Unix sockets take a supervisor or a newer kernel, and this host has neither.");
      break;
    case Reason::kNotGranted:
      answer.reason = "unix_socket_not_granted";
      answer.details = cat(doing, " is denied", said.granted_path.empty() ? "" : ", unless a process inside has made it",
                           ": no grant covers it.");
      break;
  }
  const bool may_be_granted = said.reason == Reason::kNotGranted || said.reason == Reason::kConnectOnly;
  if (may_be_granted) answer.flag = flag_that_allows(facts, use);
  if (!answer.protected_by.empty()) answer.flag = cat("--unprotect ", answer.protected_by);
  if (said.reason != Reason::kWritable && !facts.danger.empty()) {
    answer.warning = facts.danger;
  } else if (!bind && !facts.exists) {
    answer.warning = "Nothing of that name can be seen here now.";
  } else if (!bind && said.reason == Reason::kNotGranted) {
    answer.warning = "What answers there runs outside the sandbox.";
  }
  return answer;
}

}  // namespace nono::cli
