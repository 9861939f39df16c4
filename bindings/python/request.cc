#include "request.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "convert.h"
#include "errors.h"
#include "launch/environment.h"
#include "launch/program.h"

namespace nono::python {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

void refuse(const std::string& message) { raise(PyExc_ValueError, message); }

// Arguments with their types settled, before any of their values is looked at.
struct PlanValues {
  Pairs env;
  plan::Limits limits;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::string enforcement_mode;
  std::string isolation;
};

PlanValues plan_values(const PlanArguments& arguments) {
  PlanValues values;
  if (!arguments.env.is_none()) values.env = to_pairs(arguments.env, "env");
  values.limits.processes = to_optional_integer<std::uint64_t>(arguments.max_processes);
  values.limits.cpu_seconds = to_optional_integer<std::uint64_t>(arguments.max_cpu_seconds);
  values.limits.file_size_bytes = to_optional_integer<std::uint64_t>(arguments.max_file_size_bytes);
  values.limits.open_files = to_optional_integer<std::uint64_t>(arguments.max_open_files);
  values.uid = to_optional_integer<std::uint32_t>(arguments.uid);
  values.gid = to_optional_integer<std::uint32_t>(arguments.gid);
  values.enforcement_mode = to_utf8(arguments.enforcement_mode, "enforcement_mode");
  values.limits.memory_bytes = to_optional_integer<std::uint64_t>(arguments.max_memory_bytes);
  values.isolation = to_utf8(arguments.isolation, "isolation");
  return values;
}

plan::Isolation isolation_named(const std::string& name) {
  if (name == "process") return plan::Isolation::kProcess;
  if (name == "namespaces") return plan::Isolation::kNamespaces;
  if (name == "strict") return plan::Isolation::kStrict;
  if (name != "auto") {
    refuse(cat("isolation must be 'auto', 'process', 'namespaces', or 'strict', got '", escape(name), "'"));
  }
  return plan::Isolation::kAuto;
}

plan::Options checked(const PlanValues& values) {
  if (values.limits.processes == 0) refuse("max_processes must be positive");
  if (values.limits.cpu_seconds == 0) refuse("max_cpu_seconds must be positive");
  if (values.limits.open_files == 0) refuse("max_open_files must be positive");
  if (values.limits.memory_bytes == 0) refuse("max_memory_bytes must be positive");
  if (values.uid == 0) refuse("uid must be non-zero (0 is root; dropping to it is a no-op)");
  if (values.gid == 0) refuse("gid must be non-zero (0 is the root group; dropping to it is a no-op)");
  const std::string& mode = values.enforcement_mode;
  if (mode != "auto" && mode != "landlock" && mode != "seccomp") {
    refuse(cat("enforcement_mode must be 'auto', 'landlock', or 'seccomp', got '", escape(mode), "'"));
  }
  plan::Options options;
  options.isolation = isolation_named(values.isolation);
  options.limits = values.limits;
  options.uid = values.uid;
  options.gid = values.gid;
  return options;
}

Pairs environment(bool inherit, const Pairs& extra) {
  return take(launch::make_environment(inherit ? launch::host_environment() : Pairs{}, extra));
}

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  std::array<char, 512> text{};
  const auto end = std::to_chars(text.begin(), text.end(), number, std::chars_format::fixed);
  return {text.begin(), end.ptr};
}

std::optional<double> seconds(nb::handle timeout) {
  if (timeout.is_none()) return std::nullopt;
  return to_double(timeout);
}

std::optional<std::chrono::nanoseconds> limited(std::optional<double> timeout) {
  constexpr double kForever = 1e9;  // seconds, some thirty years
  if (!timeout || *timeout > kForever) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(*timeout));
}

launch::Input input(nb::handle from) {
  if (from.is_none()) return launch::NoInput{};
  if (PyObject_CheckBuffer(from.ptr()) != 0) {
    const nb::object bytes = nb::steal(PyBytes_FromObject(from.ptr()));
    if (!bytes.is_valid()) throw nb::python_error();
    return launch::InputBytes{{PyBytes_AsString(bytes.ptr()), static_cast<std::size_t>(PyBytes_Size(bytes.ptr()))}};
  }
  const bool is_number = PyIndex_Check(from.ptr()) != 0 && !PyBool_Check(from.ptr());
  if (!is_number && !nb::hasattr(from, "fileno")) {
    raise(PyExc_TypeError, "argument 'stdin' must be bytes, a file descriptor, or an object with fileno()");
  }
  const nb::object number = is_number ? nb::borrow(from) : from.attr("fileno")();
  return launch::InputDescriptor{to_integer<int>(number)};
}

bool is_merged(const std::string& standard_error) {
  if (standard_error == "stdout") return true;
  if (standard_error != "pipe") refuse(cat("stderr must be 'pipe' or 'stdout', got '", escape(standard_error), "'"));
  return false;
}

void check_no_null(const std::string& text, const char* what) {
  if (text.find('\0') != std::string::npos) raise(PyExc_RuntimeError, cat(what, " contains null byte"));
}

std::string working_directory(const std::optional<std::string>& wanted) {
  std::array<char, PATH_MAX> resolved{};
  const bool found = wanted ? ::realpath(wanted->c_str(), resolved.data()) != nullptr
                            : ::getcwd(resolved.data(), resolved.size()) != nullptr;
  if (!found) {
    raise(PyExc_RuntimeError,
          cat("Cannot resolve working directory '", wanted.value_or("."), "': ", os_error(errno)));
  }
  return resolved.data();
}

bool is_directory(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

}  // namespace

plan::Options plan_options(const PlanArguments& arguments) {
  const PlanValues values = plan_values(arguments);
  plan::Options options = checked(values);
  options.environment = environment(arguments.inherit_env, values.env);
  return options;
}

Request exec_request(const capability::CapabilitySet& caps, const ExecArguments& arguments) {
  std::vector<std::string> command = to_texts(arguments.command, "command");
  std::optional<std::string> cwd;
  if (!arguments.cwd.is_none()) cwd = to_text(arguments.cwd, "cwd");
  const std::optional<double> timeout = seconds(arguments.timeout_secs);
  const PlanValues values = plan_values(arguments.plan);
  launch::Input standard_input = input(arguments.standard_input);
  const std::string standard_error = to_utf8(arguments.standard_error, "stderr");
  const auto bound = to_optional_integer<std::size_t>(arguments.max_output_bytes);

  if (command.empty()) refuse("command must not be empty");
  if (timeout && !(*timeout >= 0)) {
    refuse(cat("timeout_secs must be non-negative, got ", number_text(*timeout)));
  }
  Request request;
  request.capabilities = caps;
  request.options = checked(values);
  request.command.error_is_output = is_merged(standard_error);
  request.timeout = limited(timeout);
  check_no_null(command.front(), "Program");
  request.command.program = take(launch::find_program(command.front(), launch::host_search_path()));
  for (const std::string& argument : command) check_no_null(argument, "Argument");
  if (cwd) check_no_null(*cwd, "Working directory");
  request.options.environment = environment(arguments.plan.inherit_env, values.env);
  request.command.directory = working_directory(cwd);
  if (cwd && !is_directory(request.command.directory)) request.obstacle = "failed to chdir";
  request.command.argv = std::move(command);
  request.command.input = std::move(standard_input);
  request.max_output_bytes = bound;
  if (bound) {
    request.command.output = launch::Capture{*bound};
    request.command.error = launch::Capture{*bound};
  }
  return request;
}

}  // namespace nono::python
