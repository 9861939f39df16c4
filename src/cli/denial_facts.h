// What explain_denial.h is told about a path: the plan's answer, and what the file system says of
// it outside the sandbox.
#pragma once

#include <optional>
#include <string>

#include "cli/explain_denial.h"
#include "cli/protected_paths.h"
#include "plan/plan.h"

namespace nono::cli {

class DenialFacts {
 public:
  // `plan` must outlive this; `directory` is where the command ran.
  DenialFacts(const plan::Plan& plan, std::string directory) : plan_(plan), directory_(std::move(directory)) {}

  [[nodiscard]] PathFacts look_up(const std::string& path);
  [[nodiscard]] NetworkFacts network() const;

 private:
  const plan::Plan& plan_;
  const std::string directory_;
  std::optional<ProtectedPaths> protected_;
};

// What the kernel starts for `program`: the interpreter of a script or of an ELF file.
[[nodiscard]] std::optional<std::string> interpreter_of(const std::string& program);

}  // namespace nono::cli
