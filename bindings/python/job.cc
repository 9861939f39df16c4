// _Job: one command in the background; nono_py/_job.py is its face.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "attempt.h"
#include "bindings.h"
#include "convert.h"
#include "errors.h"
#include "exec_arguments.h"
#include "gil.h"
#include "launch/job.h"
#include "stream.h"
#include "wait_readable.h"

namespace nono::python {
namespace {

using Kept = launch::Job::Kept;

struct JobStatus {
  bool running = false;
  std::optional<int> exit_code;
  nb::bytes output{"", 0};
  std::uint64_t position = 0;
  std::uint64_t dropped_bytes = 0;
};

class Job {
 public:
  explicit Job(Request request) {
    const std::size_t keep = request.max_output_bytes.value_or(kHeld);
    request.max_output_bytes.reset();
    make_stream(request);
    request.command.error_is_output = true;
    const auto timeout = request.timeout;
    Attempt made = attempt(std::move(request));
    context_ = std::move(made.context);
    result_ = std::move(made.result);
    if (!made.child) return;
    std::optional<launch::Job::Clock::time_point> deadline;
    if (timeout) deadline = context_.started + *timeout;
    job_ = take(launch::Job::start(std::move(made.child), deadline, keep));
  }

  // A command that nobody can stop any more is ended.
  ~Job() {
    if (!job_) return;
    const WithoutGil no_gil;
    job_.reset();
  }
  Job(Job&&) = default;
  Job& operator=(Job&&) = delete;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  JobStatus poll(nb::handle since) {
    const bool is_next = since.is_none();
    const std::uint64_t from = is_next ? position_ : to_integer<std::uint64_t>(since);
    const Kept kept = kept_from(from);
    JobStatus status;
    status.running = !kept.ended;
    if (kept.ended) status.exit_code = result().exit_code;
    status.output = to_bytes(kept.bytes);
    status.position = kept.end;
    const std::uint64_t first = kept.end - kept.bytes.size();
    status.dropped_bytes = first - std::min(first, from);
    if (is_next) position_ = kept.end;
    return status;
  }

  nb::bytes tail(nb::handle max_bytes) {
    const auto count = to_integer<std::size_t>(max_bytes);
    if (!job_) return to_bytes(last_of(words(), count));
    check_ours();
    Kept kept;
    {
      const WithoutGil no_gil;
      kept = job_->last(count);
    }
    return to_bytes(kept.bytes);
  }

  void kill() {
    if (!job_ || !is_ours()) return;
    const WithoutGil no_gil;
    job_->kill();
  }

  // Has it ended by then?
  bool wait(nb::handle timeout) {
    if (!job_) return true;
    check_ours();
    constexpr double kForever = 1e9;  // seconds, some thirty years
    std::optional<launch::Job::Clock::time_point> deadline;
    const double seconds = timeout.is_none() ? kForever : to_double(timeout);
    if (std::isnan(seconds)) raise(PyExc_ValueError, "timeout must be a number of seconds, got NaN");
    if (seconds < kForever) {
      deadline = launch::Job::Clock::now() +
                 std::chrono::duration_cast<launch::Job::Clock::duration>(std::chrono::duration<double>(std::max(seconds, 0.0)));
    }
    return wait_readable(job_->event_descriptor(), deadline);
  }

  bool is_ours() const { return !job_ || job_->is_ours(); }

  int fileno() const {
    if (!job_) return -1;
    check_ours();
    return job_->event_descriptor();
  }

  // Once it has ended.
  const ExecResult& result() {
    if (result_) return *result_;
    check_ours();
    std::optional<launch::Job::End> end;
    {
      const WithoutGil no_gil;
      end = job_->end();
      if (end) end->outcome.output = job_->kept_from(0).bytes;
    }
    if (!end) raise(PyExc_RuntimeError, "the job is still running");
    if (!result_) result_ = finished(std::move(end->outcome), end->expired, context_, end->at);
    return *result_;
  }

 private:
  void check_ours() const {
    if (!is_ours()) raise(PyExc_RuntimeError, "this job belongs to the process that started it");
  }

  // Why nothing was started.
  std::string words() const { return {result_->output.c_str(), result_->output.size()}; }
  static std::string last_of(const std::string& text, std::size_t count) {
    return text.substr(text.size() - std::min(count, text.size()));
  }

  Kept kept_from(std::uint64_t position) const {
    if (!job_) {
      const std::string text = words();
      return {text.substr(std::min<std::uint64_t>(position, text.size())), text.size(), true};
    }
    check_ours();
    const WithoutGil no_gil;
    return job_->kept_from(position);
  }

  ExecContext context_;
  std::unique_ptr<launch::Job> job_;  // none when nothing was started
  std::uint64_t position_ = 0;
  std::optional<ExecResult> result_;
};

}  // namespace

void bind_job(nb::module_& module) {
  nb::class_<JobStatus>(module, "JobStatus", nb::is_final(), "A job at one moment.")
      .def_ro("running", &JobStatus::running)
      .def_prop_ro("exit_code",
                   [](const JobStatus& s) { return s.exit_code ? nb::object(nb::int_(*s.exit_code)) : nb::none(); })
      .def_prop_ro("output", [](const JobStatus& s) { return s.output; })
      .def_ro("position", &JobStatus::position)
      .def_ro("dropped_bytes", &JobStatus::dropped_bytes);
  nb::class_<Job>(module, "_Job", nb::is_final())
      .def("poll", &Job::poll, nb::arg("since").none())
      .def("tail", &Job::tail, nb::arg("max_bytes"))
      .def("kill", &Job::kill)
      .def("wait", &Job::wait, nb::arg("timeout").none())
      .def("fileno", &Job::fileno)
      .def_prop_ro("is_ours", &Job::is_ours)
      .def("result", [](Job& job) { return job.result(); });
  def_with_exec_arguments(
      module, "_start_job", [](Request request) { return Job(std::move(request)); },
      "Start a command in a sandbox, in the background.");
}

}  // namespace nono::python
