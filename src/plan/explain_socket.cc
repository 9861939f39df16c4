#include "plan/explain_socket.h"

#include "plan/denials.h"
#include "plan/explain.h"

namespace nono::plan {
namespace {

using capability::SocketMode;
using capability::UnixSocketCapability;

// The one with the longest path; with bind, if one has it and `bind` asks for it.
const UnixSocketCapability* covering(const Plan& plan, const std::string& place, bool bind) {
  const UnixSocketCapability* best = nullptr;
  for (const UnixSocketCapability& grant : plan.unix_sockets) {
    if (!grant.covers(place) || (bind && grant.mode != SocketMode::kConnectBind)) continue;
    if (best == nullptr || grant.resolved.size() > best->resolved.size()) best = &grant;
  }
  return best;
}

}  // namespace

SocketAnswer explain_unix_socket(const Plan& plan, const capability::Ancestry& place, SocketUse use) {
  const bool bind = use == SocketUse::kBind;
  SocketAnswer answer;
  if (plan.seccomp_rules.unix_sockets == UnixSockets::kNone) {
    answer.reason = SocketAnswer::Reason::kNoSockets;
    return answer;
  }
  const auto* denial = denial_of(plan.grants, plan.denials, place.canonical, std::nullopt, bind ? Use::kChange : Use::kRead);
  if (denial != nullptr) {
    answer.reason = SocketAnswer::Reason::kDeniedPath;
    answer.denied_path = denial->resolved;
    answer.protected_by = denial->protected_by;
    return answer;
  }
  if (const auto* grant = covering(plan, place.canonical, bind)) {
    answer.reason = SocketAnswer::Reason::kGranted;
    answer.grant = *grant;
    return answer;
  }
  const PathAnswer writing = explain_path(plan.grants, plan.denials, place, capability::AccessMode::kWrite);
  if (writing.allowed()) answer.granted_path = writing.granted_path;
  if (!bind) return answer;
  if (writing.allowed()) {
    answer.reason = SocketAnswer::Reason::kWritable;
  } else if (const auto* grant = covering(plan, place.canonical, false)) {
    answer.reason = SocketAnswer::Reason::kConnectOnly;
    answer.grant = *grant;
  }
  return answer;
}

}  // namespace nono::plan
