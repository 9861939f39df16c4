#include "cli/answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "capability/path_resolution.h"

namespace nono::cli {
namespace {

using capability::AccessMode;
using Reason = plan::PathAnswer::Reason;

const char* doing(AccessMode operation) {
  switch (operation) {
    case AccessMode::kRead: return "Reading";
    case AccessMode::kWrite: return "Writing";
    case AccessMode::kReadWrite: return "Reading and writing";
  }
  return "";
}

std::string flag_that_allows(const PathFacts& facts, AccessMode operation) {
  const std::string flag = operation == AccessMode::kReadWrite ? "allow" : std::string(to_string(operation));
  if (!facts.exists && !writes(operation)) return {};
  // What does not exist yet needs its directory.
  const std::string parent = capability::parent_of(facts.canonical);
  const auto path = shell_word(facts.exists ? facts.canonical : parent);
  if (!path) return {};
  return cat("--", flag, facts.exists && !facts.is_directory ? "-file " : " ", *path);
}

std::string port_list(const std::vector<std::uint16_t>& ports) {
  std::string list;
  for (const auto port : ports) list += cat(list.empty() ? "" : ", ", port);
  return list;
}

}  // namespace

Answer answer_for_path(const std::string& path, AccessMode operation, const plan::PathAnswer& plan_answer,
                       const PathFacts& facts) {
  Answer answer;
  answer.allowed = plan_answer.allowed();
  answer.subject = facts.canonical;
  const std::string name = facts.canonical == path ? path : cat(path, " (which is ", facts.canonical, ")");
  switch (plan_answer.reason) {
    case Reason::kGrantedPath:
      answer.reason = "granted_path";
      answer.granted = plan_answer.granted_path;
      answer.details = cat(doing(operation), " ", name, " is allowed: ", plan_answer.granted_path,
                           " is granted (", plan_answer.access,
                           plan_answer.beats_denial.empty() ? ")." : cat("), inside the denied ", plan_answer.beats_denial, "."));
      answer.beats = plan_answer.beats_denial;
      break;
    case Reason::kInsufficientAccess:
      answer.reason = "insufficient_access";
      answer.granted = plan_answer.access;
      answer.details = cat(doing(operation), " ", name, " is denied: only ", plan_answer.access, " is granted.");
      break;
    case Reason::kDeniedPath:
      answer.reason = "denied_path";
      answer.denied_by = plan_answer.denied_path;
      answer.protected_by = plan_answer.protected_by;
      answer.details = cat(doing(operation), " ", name, " is denied: ",
                           answer.protected_by.empty()
                               ? cat("--deny ", answer.denied_by, " beats every grant around it.")
                               : cat(answer.denied_by, " is protected (", answer.protected_by, ")."));
      break;
    case Reason::kPathNotGranted:
      answer.reason = "path_not_granted";
      answer.details = cat(doing(operation), " ", name, " is denied: no grant covers it.");
      break;
  }
  const bool denied = plan_answer.reason == Reason::kDeniedPath;
  if (!answer.allowed && !denied) answer.flag = flag_that_allows(facts, operation);
  if (!answer.protected_by.empty()) answer.flag = cat("--unprotect ", answer.protected_by);
  if (!facts.exists) answer.warning = "Nothing of that name can be seen here now.";
  else if ((reads(operation) && !facts.user_may_read) || (writes(operation) && !facts.user_may_write)) {
    answer.warning = "Its file permissions, or a read-only file system, refuse it to this user in any case.";
  } else if (!answer.allowed && facts.is_protected) {
    answer.warning = "Think twice: it holds secrets, or is a way out of the sandbox.";
  }
  return answer;
}

Answer answer_for_host(const std::string& host, std::uint16_t port, const NetworkFacts& network) {
  Answer answer;
  answer.subject = cat(host, ":", port);
  const std::string connecting = cat("Connecting to ", host, " on TCP port ", port);
  const std::string list = port_list(network.connect_ports);
  switch (network.sockets) {
    case plan::Sockets::kInternet:
      answer.allowed = true;
      answer.details = cat(connecting, " is allowed: the network is not restricted.");
      break;
    case plan::Sockets::kNone:
      answer.details = cat(connecting, " is denied: the network is blocked.");
      break;
    case plan::Sockets::kTcp:
      answer.allowed = std::ranges::count(network.connect_ports, port) != 0;
      answer.details = answer.allowed
                           ? cat(connecting, " is allowed: that port is granted, on every host.")
                           : cat(connecting, " is denied: ",
                                 list.empty() ? "only servers are granted." : cat("only TCP port ", list, " is granted."));
      if (answer.allowed) answer.warning = "There is no UDP, so names are not resolved inside.";
      break;
  }
  answer.reason = answer.allowed ? "network_allowed" : "network_blocked";
  answer.granted = list;
  if (!answer.allowed) answer.flag = cat("--allow-connect ", port);
  return answer;
}

std::string answer_text(const Answer& answer) {
  std::string text = answer.details;
  if (!answer.flag.empty()) text += cat(" To allow it, add ", answer.flag, ".");
  if (!answer.warning.empty()) text += cat(" ", answer.warning);
  return cat(escape(text), "\n");
}

std::string answer_json(const Answer& answer) {
  nlohmann::ordered_json json;
  json["status"] = answer.allowed ? "allowed" : "denied";
  json["reason"] = answer.reason;
  json["subject"] = answer.subject;
  if (!answer.granted.empty()) json["granted"] = answer.granted;
  if (!answer.denied_by.empty()) json["denied_by"] = answer.denied_by;
  if (!answer.protected_by.empty()) json["protected"] = answer.protected_by;
  if (!answer.beats.empty()) json["beats_denial"] = answer.beats;
  json["details"] = answer.details;
  if (!answer.flag.empty()) json["suggested_flag"] = answer.flag;
  if (!answer.warning.empty()) json["warning"] = answer.warning;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace nono::cli
