// What `nono why` says about a Unix socket.
#pragma once

#include <string>

#include "cli/answer.h"
#include "plan/explain_socket.h"

namespace nono::cli {

struct SocketFacts {
  std::string canonical;
  bool exists = false;
  std::string danger;  // danger_of_socket()
};

[[nodiscard]] Answer answer_for_socket(const std::string& path, plan::SocketUse use, const plan::SocketAnswer& said,
                                       const SocketFacts& facts);

// `name`: "@..."
[[nodiscard]] Answer answer_for_abstract_socket(const std::string& name);

}  // namespace nono::cli
