#include "plan/diagnostics.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "capability/path_resolution.h"
#include "plan/stderr_hints.h"

namespace nono::plan {
namespace {

using capability::AccessMode;
using Json = nlohmann::ordered_json;

constexpr const char* kApplicationFailure = "command_failed_application";
constexpr const char* kLikelySandbox = "command_failed_likely_sandbox";

// "Read": how reports spell it, unlike everything else.
const char* capitalized(AccessMode access) {
  switch (access) {
    case AccessMode::kRead: return "Read";
    case AccessMode::kWrite: return "Write";
    case AccessMode::kReadWrite: return "ReadWrite";
  }
  return "";
}

// What is wanted beyond what is granted; nothing when that is enough.
std::optional<AccessMode> still_missing(AccessMode wanted, std::optional<AccessMode> granted) {
  if (!granted) return wanted;
  const bool read = reads(wanted) && !reads(*granted);
  const bool write = writes(wanted) && !writes(*granted);
  if (read && write) return AccessMode::kReadWrite;
  if (read) return AccessMode::kRead;
  if (write) return AccessMode::kWrite;
  return std::nullopt;
}

std::string absolute(const std::string& path, const std::string& directory) {
  if (path.starts_with('/')) return path;
  return directory.ends_with('/') ? cat(directory, path) : cat(directory, "/", path);
}

Diagnostic observation(const char* code, std::string message, const char* kind) {
  Diagnostic entry;
  entry.code = code;
  entry.severity = "warning";
  entry.message = std::move(message);
  entry.observation = kind;
  return entry;
}

Diagnostic advice(const char* code, const char* message, const char* kind) {
  Diagnostic entry;
  entry.code = code;
  entry.severity = "info";
  entry.message = message;
  entry.remediation = Remediation{kind, {}, {}, false};
  return entry;
}

Diagnostic denied(const Denial& denial) {
  Diagnostic entry;
  entry.code = "sandbox_denied_path";
  entry.severity = "error";
  entry.message = cat("the sandbox refused to ", denial.operation, " ", escape(denial.path));
  entry.path = denial.path;
  entry.access = AccessMode::kRead;
  entry.remediation = Remediation{"grant_path", denial.path, AccessMode::kRead, true};
  return entry;
}

Diagnostic refused_start(const Error& error) {
  Diagnostic entry;
  entry.code = diagnostic_code(error.kind);
  entry.severity = "error";
  entry.message = error.message;
  entry.hint = error.hint;
  return entry;
}

class Reporter {
 public:
  Reporter(SessionReport& report, const DiagnosticContext& context) : report_(report), context_(context) {}

  void add(const StderrHints& hints) {
    std::map<std::string, AccessMode> missing;
    for (const auto& complaint : hints.missing) {
      missing.try_emplace(absolute(complaint.path, context_.directory), complaint.access);
    }
    for (const auto& [path, access] : missing) add_missing(path, access);
    if (hints.application) {
      report_.diagnostics.push_back(
          observation(kApplicationFailure, cat("command reported application error: ", *hints.application),
                      "application_failure"));
    }
    if (hints.network && context_.network_blocked) {
      report_.diagnostics.push_back(observation(
          "sandbox_denied_network",
          "command output contains a network error; if a required host is unreachable, check whether "
          "network access is blocked",
          "network_blocked"));
    }
    std::map<std::string, AccessMode> refused;
    for (const auto& complaint : hints.refused) {
      std::string path = absolute(complaint.path, context_.directory);
      if (!missing.contains(path)) refused.try_emplace(std::move(path), complaint.access);
    }
    for (const auto& [path, access] : refused) add_refused(path, access);
  }

 private:
  void add_missing(const std::string& path, AccessMode access) {
    Diagnostic entry =
        observation(kApplicationFailure, cat("command reported missing path ", path), "missing_path");
    entry.path = path;
    entry.access = access;
    report_.diagnostics.push_back(std::move(entry));
  }

  void add_refused(const std::string& path, AccessMode wanted) {
    const PathFacts facts = context_.look_up(path);
    const auto access = still_missing(wanted, facts.granted);
    if (!access) return;
    Diagnostic entry = observation(
        kLikelySandbox, cat("command output suggests ", path, " (", to_string(*access), ") may be sandbox-related"),
        "likely_sandbox_path");
    entry.path = path;
    entry.access = access;
    if (facts.is_denied) {
      if (!facts.protected_by.empty()) entry.message += cat("; the name is protected (", facts.protected_by, ")");
      entry.remediation = Remediation{"check_policy", {}, {}, false};
      report_.diagnostics.push_back(std::move(entry));
      return;
    }
    const bool is_working_directory = capability::is_within(path, context_.directory) &&
                                      capability::is_within(context_.directory, path);
    entry.remediation = is_working_directory && !facts.granted
                            ? Remediation{"allow_cwd", {}, {}, false}
                            : Remediation{"grant_path", path, access, !facts.is_directory};
    report_.diagnostics.push_back(std::move(entry));
  }

  SessionReport& report_;
  const DiagnosticContext& context_;
};

void add_advice(SessionReport& report) {
  if (report.exit_code == 0) return;
  report.diagnostics.push_back(
      advice(kLikelySandbox, "discover additional paths required by the command", "run_discovery"));
  report.diagnostics.push_back(
      advice(kApplicationFailure, "inspect sandbox policy for a specific path", "check_policy"));
}

const char* reason_text(PathAnswer::Reason reason) {
  switch (reason) {
    case PathAnswer::Reason::kGrantedPath: return "granted_path";
    case PathAnswer::Reason::kInsufficientAccess: return "insufficient_access";
    case PathAnswer::Reason::kPathNotGranted: return "path_not_granted";
    case PathAnswer::Reason::kDeniedPath: return "denied_path";
  }
  return "";
}

Json to_json(const Remediation& remediation) {
  Json json = {{"kind", remediation.kind}};
  if (!remediation.access) return json;
  json["path"] = remediation.path;
  json["access"] = capitalized(*remediation.access);
  json["is_file"] = remediation.is_file;
  return json;
}

Json to_json(const Diagnostic& entry) {
  Json json = {{"code", entry.code}, {"severity", entry.severity}, {"message", entry.message}};
  if (!entry.hint.empty()) json["hint"] = entry.hint;
  if (entry.remediation) json["remediation"] = to_json(*entry.remediation);
  if (!entry.path.empty()) json["path"] = entry.path;
  if (entry.access) json["access"] = capitalized(*entry.access);
  if (!entry.observation.empty()) {
    json["detail"] = {{"kind", "stderr_observation"}, {"observation_kind", entry.observation}};
  }
  return json;
}

Json to_json(const Denial& denial) {
  return {{"path", denial.path},
          {"access", "Read"},
          {"operation", denial.operation},
          {"reason", reason_text(denial.reason)}};
}

}  // namespace

SessionReport session_report(int exit_code) {
  SessionReport report{exit_code, {}, {}};
  add_advice(report);
  return report;
}

SessionReport session_report(int exit_code, KnownFacts facts, std::string_view error_text,
                             const DiagnosticContext& context) {
  SessionReport report{exit_code, std::move(facts.denials), {}};
  if (facts.refusal) report.diagnostics.push_back(refused_start(*facts.refusal));
  for (const Denial& denial : report.denials) report.diagnostics.push_back(denied(denial));
  Reporter(report, context).add(read_stderr(error_text));
  add_advice(report);
  return report;
}

PathFacts look_up(const std::vector<capability::FsCapability>& grants,
                  const capability::DenialList& denials, const std::string& path) {
  const capability::Ancestry ancestry = capability::ancestry_of(path);
  PathFacts facts;
  const auto allowed = [&](AccessMode mode) {
    const PathAnswer answer = explain_path(grants, denials, ancestry, mode);
    if (answer.reason == PathAnswer::Reason::kDeniedPath) {
      facts.is_denied = true;
      facts.protected_by = answer.protected_by;
    }
    return answer.allowed();
  };
  const bool read = allowed(AccessMode::kRead);
  const bool write = allowed(AccessMode::kWrite);
  if (read || write) {
    facts.granted = read && write ? AccessMode::kReadWrite : read ? AccessMode::kRead : AccessMode::kWrite;
  }
  facts.is_directory = ancestry.exists && !ancestry.self_and_up.empty() &&
                       S_ISDIR(ancestry.self_and_up.front().mode);
  return facts;
}

std::string report_json(const SessionReport& report) {
  Json denials = Json::array();
  for (const Denial& denial : report.denials) denials.push_back(to_json(denial));
  Json diagnostics = Json::array();
  for (const Diagnostic& entry : report.diagnostics) diagnostics.push_back(to_json(entry));
  const Json json = {{"exit_code", report.exit_code},
                     {"denials", std::move(denials)},
                     {"ipc_denials", Json::array()},
                     {"violations", Json::array()},
                     {"diagnostics", std::move(diagnostics)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nono::plan
