// The answer of `nono why`, as a value: from the plan and what the file system says. Words and JSON
// say the same.
#pragma once

#include <string>

#include "cli/args.h"
#include "cli/explain_denial.h"

namespace nono::cli {

struct Answer {
  bool allowed = false;
  std::string reason;   // granted_path, insufficient_access, denied_path, path_not_granted, network_allowed, ...,
                        // unix_socket_granted, unix_socket_not_granted
  std::string subject;  // the resolved path, or HOST:PORT
  std::string granted;  // the grant that decides, or what is granted instead; may be empty
  std::string denied_by;     // the denial that decides
  std::string protected_by;  // the protected name that it belongs to
  std::string beats;         // the denial that the grant beats, for it lies inside
  std::string details;  // a sentence or two
  std::string flag;     // what would allow it; empty when nothing would
  std::string warning;  // what else may refuse it; may be empty
};

[[nodiscard]] Answer answer_for_path(const std::string& path, capability::AccessMode operation,
                                     const plan::PathAnswer& plan_answer, const PathFacts& facts);
[[nodiscard]] Answer answer_for_host(const std::string& host, std::uint16_t port, const NetworkFacts& network);

[[nodiscard]] std::string answer_text(const Answer& answer);
[[nodiscard]] std::string answer_json(const Answer& answer);

}  // namespace nono::cli
