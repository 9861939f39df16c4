// The session report: what is known about why a command failed, and hints from what it printed.
//
// `denials` are facts: the plan says that the kernel refused. Everything that was read out of the
// command's own error output is marked as an observation of that text, and a remedy never names
// more than the path in question: a command must not talk somebody into a wider grant.
// Pure; `look_up` asks the plan and the file system.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "capability/access_mode.h"
#include "plan/explain.h"

namespace nono::plan {

struct PathFacts {
  std::optional<capability::AccessMode> granted;
  bool is_directory = false;
  bool is_denied = false;    // no grant around it would help
  std::string protected_by = {};  // when is_denied: as in PathAnswer
};

struct DiagnosticContext {
  std::function<PathFacts(const std::string& path)> look_up;
  bool network_blocked = false;
  std::string directory;  // where the command ran; absolute
};

// One refusal that is certain.
struct Denial {
  std::string path;
  std::string operation;  // "execute"
  PathAnswer::Reason reason = PathAnswer::Reason::kPathNotGranted;
};

// What is certain about one command.
struct KnownFacts {
  std::vector<Denial> denials;
  std::optional<Error> refusal;  // why the command was not started at all
};

struct Remediation {
  std::string kind;  // "grant_path" with the rest, "allow_cwd", "run_discovery", "check_policy"
  std::string path;
  std::optional<capability::AccessMode> access;
  bool is_file = false;
};

struct Diagnostic {
  std::string code;
  std::string severity;  // "info", "warning", "error"
  std::string message;
  std::string hint;
  std::optional<Remediation> remediation;
  std::string path;
  std::optional<capability::AccessMode> access;
  std::string observation;  // of the command's text: "missing_path", ...
};

struct SessionReport {
  int exit_code = 0;
  std::vector<Denial> denials;
  std::vector<Diagnostic> diagnostics;
};

// The two general pieces of advice that follow a failure; none after a success.
[[nodiscard]] SessionReport session_report(int exit_code);

[[nodiscard]] SessionReport session_report(int exit_code, KnownFacts facts, std::string_view error_text,
                                           const DiagnosticContext& context);

// What `grants` mean for `path`, for DiagnosticContext. Asks the file system.
[[nodiscard]] PathFacts look_up(const std::vector<capability::FsCapability>& grants,
                                const capability::DenialList& denials, const std::string& path);

// Compact, valid UTF-8 whatever went in.
[[nodiscard]] std::string report_json(const SessionReport& report);

}  // namespace nono::plan
