// ExplainSocket: may the sandbox reach this Unix socket, or make it, and which grant says so? Pure.
//
// About the sockets of others. One that the command's own tree has made can be reached without any grant, and one
// can be made wherever a file can.
#pragma once

#include <optional>
#include <string>

#include "capability/ancestry.h"
#include "plan/plan.h"

namespace nono::plan {

enum class SocketUse { kConnect, kBind };

struct SocketAnswer {
  enum class Reason {
    kGranted,      // by `grant`
    kWritable,     // bind only: a file grant says so
    kConnectOnly,  // bind only: `grant` covers it, without bind
    kDeniedPath,   // a denial beats every grant
    kNotGranted,
    kNoSockets,    // this host can hold none, so none can be made
  };
  Reason reason = Reason::kNotGranted;
  std::optional<capability::UnixSocketCapability> grant;
  std::string granted_path;  // the file grant by which one can be made there; empty: it cannot
  std::string denied_path;   // kDeniedPath: as Denial::resolved
  std::string protected_by;  // kDeniedPath: the protected name that it belongs to; empty: the user's own
  [[nodiscard]] bool allowed() const { return reason == Reason::kGranted || reason == Reason::kWritable; }
};

[[nodiscard]] SocketAnswer explain_unix_socket(const Plan& plan, const capability::Ancestry& place, SocketUse use);

}  // namespace nono::plan
