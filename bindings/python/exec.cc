// sandboxed_exec: one command, waited for without the GIL.
#include <unistd.h>

#include "bindings.h"
#include "errors.h"
#include "exec_arguments.h"
#include "exec_result.h"
#include "gil.h"
#include "start.h"
#include "wait_readable.h"

namespace nono::python {
namespace {

using Clock = std::chrono::steady_clock;
using Progress = launch::Child::Progress;

std::optional<std::chrono::nanoseconds> sooner(std::optional<std::chrono::nanoseconds> a,
                                               std::optional<std::chrono::nanoseconds> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// Until the whole tree has ended. True when the deadline ended it. A Python signal handler that
// raises ends it as well, and `raised` takes its exception.
bool wait_for(launch::Child& child, std::optional<Clock::time_point> deadline, WithoutGil& no_gil,
              std::optional<nb::python_error>& raised) {
  const bool runs_handlers = ::gettid() == ::getpid();
  Clock::time_point looked = Clock::now();
  bool expired = false;
  for (;;) {
    const Clock::time_point now = Clock::now();
    std::optional<std::chrono::nanoseconds> left;
    if (deadline && !expired && !raised) {
      if (now >= *deadline) {
        expired = true;
        child.kill();
      } else {
        left = *deadline - now;
      }
    }
    if (runs_handlers && !raised) left = sooner(left, kLookForSignals);
    const Progress progress = child.poll(left);
    if (progress == Progress::kEnded) return expired;
    if (raised || (progress != Progress::kInterrupted && (!runs_handlers || now - looked < kLookForSignals))) {
      continue;
    }
    looked = now;
    no_gil.interrupt([&] {
      if (PyErr_CheckSignals() == 0) return;
      raised.emplace();
      child.kill();
    });
  }
}

ExecResult sandboxed_exec(Request request) {
  ExecContext context = context_of(request);
  if (request.obstacle) return not_started(*request.obstacle, std::move(context));
  std::optional<Clock::time_point> deadline;
  if (request.timeout) deadline = context.started + *request.timeout;

  std::optional<nb::python_error> raised;
  std::optional<Error> error;
  launch::Outcome outcome;
  bool expired = false;
  {
    WithoutGil no_gil;
    if (auto child = start(std::move(request))) {
      expired = wait_for(**child, deadline, no_gil, raised);
      outcome = (*child)->take_outcome();
    } else {
      error = std::move(child).error();
    }
  }
  if (raised) throw nb::python_error(*std::move(raised));
  if (error && error->kind == ErrorKind::kIo) raise(*error);
  if (error) return refused(*error, std::move(context));
  return finished(std::move(outcome), expired, std::move(context));
}

}  // namespace

void bind_exec(nb::module_& module) {
  def_with_exec_arguments(module, "sandboxed_exec", sandboxed_exec,
                          "Run a command in a sandbox and wait for the end of its whole process tree.");
}

}  // namespace nono::python
