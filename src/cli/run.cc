#include "cli/run.h"

#include <unistd.h>

#include "base/text.h"
#include "capability/path_resolution.h"
#include "cli/child_environment.h"
#include "cli/denial_facts.h"
#include "cli/explain_denial.h"
#include "cli/grants.h"
#include "cli/policy_report.h"
#include "cli/run_result.h"
#include "cli/terminal.h"
#include "cli/wait.h"
#include "launch/plan_here.h"
#include "launch/program.h"
#include "plan/record.h"
#include "supervise/launch.h"

namespace nono::cli {
namespace {

constexpr std::size_t kKeptError = 64 * 1024;

Result<std::string> starting_directory(const RunArguments& arguments) {
  auto directory = capability::canonicalize(arguments.directory.value_or("."));
  if (!directory) {
    return fail(directory.error().kind,
                arguments.directory ? cat("--cwd: ", directory.error().message)
                                    : "the current directory does not exist any more");
  }
  return *std::move(directory);
}

// As the shell would: a name without '/' in PATH, any other from where the command starts.
Result<std::string> program_of(const RunArguments& arguments, const std::string& directory,
                               const launch::Environment& environment) {
  const std::string& name = arguments.command.front();
  const bool relative = name.find('/') != name.npos && !name.starts_with('/');
  return launch::find_program(relative ? cat(directory, "/", name) : name, search_path(environment));
}

// In a strict view: nothing that tells whether a path exists, for the command may be told what is said here.
std::optional<std::string> explanation_without_files(const DenialFacts& facts, std::string_view error_text) {
  const auto nothing = [](const std::string&) {
    PathFacts unknown;
    unknown.read.reason = unknown.write.reason = plan::PathAnswer::Reason::kGrantedPath;
    return unknown;
  };
  if (auto network = explain_denial(error_text, facts.network(), nothing)) return network;
  if (error_text.find("No such file or directory") == error_text.npos) return std::nullopt;
  return "nono: what is not granted is not there (--isolation strict)";
}

// Why it ended badly, if the sandbox is the reason.
std::optional<std::string> explanation(const plan::Plan& plan, const launch::Command& command,
                                       const Ending& ending, std::string_view error_text) {
  const launch::Outcome& outcome = ending.outcome;
  if (ending.timed_out || ending.signal != 0 || outcome.signal != 0) return std::nullopt;
  DenialFacts facts(plan, command.directory);
  if (outcome.failed_to_start) {
    if (outcome.setup_failure.exit_code != kExitNotFound) return std::nullopt;
    if (auto line = explain_not_started(facts.look_up(command.program), {})) return line;
    const auto interpreter = interpreter_of(command.program);
    return interpreter ? explain_not_started(facts.look_up(*interpreter), command.program) : std::nullopt;
  }
  if (outcome.exit_status == 0) return std::nullopt;
  if (plan.view && plan.view->only_grants) return explanation_without_files(facts, error_text);
  return explain_denial(error_text, facts.network(),
                        [&](const std::string& path) { return facts.look_up(path); });
}

int exit_code(const Ending& ending) {
  if (ending.signal != 0) return 128 + ending.signal;
  if (ending.timed_out) return kExitTimeout;
  if (ending.outcome.signal != 0) return 128 + ending.outcome.signal;
  return ending.outcome.exit_status;
}

// What nono itself has to say, after all that the command wrote.
std::string words_of(const Ending& ending, const std::optional<std::string>& explained) {
  if (ending.timed_out) return "nono: the time was up; the command and all it started were killed\n";
  if (explained) return cat(*explained, "\n");
  return ending.outcome.failed_to_start ? ending.outcome.setup_failure.message : "";
}

Result<int> launch_and_wait(const RunArguments& arguments, const plan::Plan& plan, launch::Command command) {
  const EndSignals signals = NONO_TRY(EndSignals::take_over());
  std::optional<Relay> relay;
  command.input = launch::InputDescriptor{STDIN_FILENO};
  command.hides_this_process = true;
  if (!arguments.json) {
    relay = NONO_TRY(Relay::make(STDERR_FILENO, kKeptError));
    command.output = launch::OutputDescriptor{STDOUT_FILENO};
    command.error = launch::OutputDescriptor{relay->writer()};
  }
  const auto started = std::chrono::steady_clock::now();
  const auto child = NONO_TRY(supervise::launch(plan, command));
  if (relay) relay->close_writer();
  const Ending ending = NONO_TRY(wait_for(*child, relay ? &*relay : nullptr, signals, arguments.timeout));
  const auto duration = std::chrono::steady_clock::now() - started;

  const auto explained = explanation(plan, command, ending, relay ? relay->kept() : tail_of(ending.outcome.error));
  if (!relay) {
    print(result_json(ending, duration, exit_code(ending), explained));
  } else {
    relay->last_words(words_of(ending, explained));
    drain(*relay, signals, ending);
  }
  return exit_code(ending);
}

Result<int> run_or_show(const RunArguments& arguments) {
  plan::Options options;
  options.isolation = arguments.isolation;
  options.limits = arguments.limits;
  options.uid = arguments.uid;
  options.gid = arguments.gid;
  const auto capabilities = NONO_TRY(capabilities_of(arguments.grants));
  options.environment = NONO_TRY(child_environment(launch::host_environment(), arguments.environment));
  keep_git_working(options.environment, capabilities);
  launch::Command command;
  command.directory = NONO_TRY(starting_directory(arguments));
  command.argv = arguments.command;
  const plan::Plan plan = NONO_TRY(launch::startable_plan_here(capabilities, options));
  command.program = NONO_TRY(program_of(arguments, command.directory, options.environment));
  if (!arguments.dry_run) return launch_and_wait(arguments, plan, std::move(command));
  print(arguments.json ? cat(plan::record_json(plan), "\n") : policy_report(plan, command));
  return 0;
}

}  // namespace

int run(const RunArguments& arguments) {
  const auto exit_code = run_or_show(arguments);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace nono::cli
