#include "exec_result.h"

#include <utility>

#include "base/text.h"
#include "convert.h"
#include "errors.h"

namespace nono::python {
namespace {

constexpr int kNotStarted = 126;
constexpr int kNotExecuted = 127;
constexpr int kTimedOut = 124;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double seconds_between(std::chrono::steady_clock::time_point start, std::chrono::steady_clock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
}

// An exec that failed although the kernel would have refused it anyway was refused.
std::vector<plan::Denial> denials_of(const ExecContext& context) {
  const plan::PathAnswer answer = plan::explain_path(
      *context.grants, context.denials, capability::ancestry_of(context.program), capability::AccessMode::kRead);
  if (answer.allowed()) return {};
  return {{context.program, "execute", answer.reason}};
}

plan::SessionReport report_of(const ExecResult& result) {
  const plan::DiagnosticContext context{
      [&](const std::string& path) { return plan::look_up(*result.context.grants, result.context.denials, path); },
      result.context.network_blocked, result.context.directory};
  const nb::bytes& error = result.context.merged ? result.output : result.error;
  return plan::session_report(result.exit_code, result.facts, {error.c_str(), error.size()}, context);
}

nb::object parsed(const std::string& json) { return nb::module_::import_("json").attr("loads")(to_str(json)); }

nb::dict usage_dict(const ExecResult& result) {
  const struct rusage& usage = result.usage;
  nb::dict dict;
  dict["user_seconds"] = seconds(usage.ru_utime);
  dict["system_seconds"] = seconds(usage.ru_stime);
  dict["max_rss_bytes"] = result.max_rss_bytes ? nb::object(nb::int_(*result.max_rss_bytes)) : nb::none();
  dict["minor_faults"] = usage.ru_minflt;
  dict["major_faults"] = usage.ru_majflt;
  dict["blocks_read"] = usage.ru_inblock;
  dict["blocks_written"] = usage.ru_oublock;
  dict["voluntary_switches"] = usage.ru_nvcsw;
  dict["involuntary_switches"] = usage.ru_nivcsw;
  return dict;
}

// Until its exec the command shares this process's memory, and the kernel counts that as its own: a
// peak below ours says nothing.
std::optional<std::int64_t> own_peak(const struct rusage& usage) {
  struct rusage host {};
  if (::getrusage(RUSAGE_SELF, &host) != 0 || usage.ru_maxrss <= host.ru_maxrss) return std::nullopt;
  return std::int64_t{usage.ru_maxrss} * 1024;
}

std::string repr(const ExecResult& result) {
  return cat("ExecResult(exit_code=", result.exit_code, ", stdout_len=", result.output.size(),
             ", stderr_len=", result.error.size(), ")");
}

}  // namespace

ExecContext context_of(const Request& request) {
  ExecContext context;
  context.grants = request.capabilities.fs().names();
  context.denials = request.capabilities.denials();
  context.network_blocked = request.capabilities.is_network_blocked();
  context.merged = request.command.error_is_output;
  context.program = request.command.program;
  context.directory = request.command.directory;
  context.started = std::chrono::steady_clock::now();
  return context;
}

ExecResult finished(launch::Outcome outcome, bool expired, ExecContext context,
                    std::chrono::steady_clock::time_point at) {
  ExecResult result;
  if (outcome.failed_to_start) outcome.error += outcome.setup_failure.message;
  if (context.merged) outcome.output += std::exchange(outcome.error, {});
  result.output = to_bytes(outcome.output);
  result.error = to_bytes(outcome.error);
  result.timed_out = expired && !outcome.failed_to_start;
  if (outcome.signal != 0) result.signal = outcome.signal;
  result.exit_code = result.timed_out ? kTimedOut : outcome.signal != 0 ? -outcome.signal : outcome.exit_status;
  result.dropped_bytes = outcome.dropped_output_bytes + outcome.dropped_error_bytes;
  result.duration = seconds_between(context.started, at);
  result.usage = outcome.usage;
  result.max_rss_bytes = own_peak(outcome.usage);
  if (outcome.failed_to_start && outcome.setup_failure.exit_code == kNotExecuted) {
    result.facts.denials = denials_of(context);
  }
  result.context = std::move(context);
  return result;
}

ExecResult refused(const Error& error, ExecContext context) {
  const std::string hint = error.hint.empty() ? "" : cat("\n      ", error.hint);
  ExecResult result = not_started(cat("sandbox apply failed: ", error.message, hint), std::move(context));
  result.facts.refusal = error;
  return result;
}

ExecResult not_started(const std::string& reason, ExecContext context) {
  ExecResult result;
  (context.merged ? result.output : result.error) = to_bytes(cat("nono: ", reason, "\n"));
  result.exit_code = kNotStarted;
  result.duration = seconds_between(context.started, std::chrono::steady_clock::now());
  result.context = std::move(context);
  return result;
}

void bind_exec_result(nb::module_& module) {
  nb::class_<ExecResult>(module, "ExecResult", nb::is_final(), "How a sandboxed command ended.")
      .def_prop_ro("stdout", [](const ExecResult& r) { return r.output; })
      .def_prop_ro("stderr", [](const ExecResult& r) { return r.error; })
      .def_prop_ro("exit_code", [](const ExecResult& r) { return r.exit_code; })
      .def_prop_ro("timed_out", [](const ExecResult& r) { return r.timed_out; })
      .def_prop_ro("signal",
                   [](const ExecResult& r) { return r.signal ? nb::object(nb::int_(*r.signal)) : nb::none(); })
      .def_prop_ro("truncated", [](const ExecResult& r) { return r.dropped_bytes != 0; })
      .def_prop_ro("dropped_bytes", [](const ExecResult& r) { return r.dropped_bytes; })
      .def_prop_ro("duration", [](const ExecResult& r) { return r.duration; })
      .def_prop_ro("rusage", usage_dict)
      .def_prop_ro("denials",
                   [](const ExecResult& r) {
                     return nb::object(parsed(plan::report_json({r.exit_code, r.facts.denials, {}}))["denials"]);
                   })
      .def("session_diagnostics", [](const ExecResult& r) { return parsed(plan::report_json(report_of(r))); })
      .def("session_diagnostics_json", [](const ExecResult& r) { return to_str(plan::report_json(report_of(r))); })
      .def("__repr__", [](const ExecResult& r) { return to_str(repr(r)); });
}

}  // namespace nono::python
