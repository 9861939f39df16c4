// Stream: one running command whose output is taken while it comes, by a thread that waits for it.
#include "stream.h"

#include <deque>
#include <memory>
#include <optional>

#include "attempt.h"
#include "convert.h"
#include "errors.h"
#include "exec_arguments.h"
#include "gil.h"
#include "launch/job.h"
#include "wait_readable.h"

namespace nono::python {
namespace {

void add(Chunks& chunks, const char* name, const nb::bytes& bytes) {
  if (bytes.size() > 0) chunks.push_back(nb::make_tuple(name, bytes));
}

class Stream {
 public:
  explicit Stream(Request request) {
    make_stream(request);
    const auto timeout = request.timeout;
    Attempt made = attempt(std::move(request));
    context_ = std::move(made.context);
    if (made.result) finish(*std::move(made.result));
    if (!made.child) return;
    std::optional<launch::Job::Clock::time_point> deadline;
    if (timeout) deadline = context_.started + *timeout;
    job_ = take(launch::Job::start(std::move(made.child), deadline, std::nullopt));
  }

  // A command that nobody listens to any more is ended.
  ~Stream() {
    if (!job_) return;
    const WithoutGil no_gil;
    job_.reset();
  }
  Stream(Stream&&) = default;
  Stream& operator=(Stream&&) = delete;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  nb::object next() {
    while (waiting_.empty()) {
      if (result_) throw nb::stop_iteration();
      if (!job_->is_ours()) raise(PyExc_RuntimeError, "this stream belongs to the process that started it");
      try {
        (void)wait_readable(job_->event_descriptor(), std::nullopt);
      } catch (nb::python_error&) {
        kill();
        throw;
      }
      collect();
    }
    nb::object chunk = std::move(waiting_.front());
    waiting_.pop_front();
    return chunk;
  }

  void close() {
    if (job_ && !job_->is_ours()) return;
    while (!result_) {
      kill();
      (void)wait_readable(job_->event_descriptor(), std::nullopt);
      collect();
    }
    waiting_.clear();
  }

  nb::object result() const { return result_ ? nb::cast(*result_) : nb::none(); }

 private:
  void kill() {
    const WithoutGil no_gil;
    job_->kill();
  }

  void collect() {
    launch::Job::Taken taken;
    std::optional<launch::Job::End> end;
    {
      const WithoutGil no_gil;
      taken = job_->take();
      if (taken.ended) end = job_->end();
    }
    wait_with(chunks_of(taken.output, taken.error));
    // Another thread may have seen the end meanwhile.
    if (end && !result_) finish(finished(std::move(end->outcome), end->expired, context_, end->at));
  }

  void finish(ExecResult result) {
    wait_with(chunks_of(result));
    result_ = std::move(result);
  }

  void wait_with(Chunks chunks) {
    for (nb::tuple& chunk : chunks) waiting_.push_back(std::move(chunk));
  }

  ExecContext context_;
  std::unique_ptr<launch::Job> job_;  // none when nothing was started
  std::deque<nb::tuple> waiting_;
  std::optional<ExecResult> result_;
};

}  // namespace

void make_stream(Request& request) {
  const launch::Stream held{request.max_output_bytes.value_or(kHeld)};
  request.command.output = held;
  request.command.error = held;
}

Chunks chunks_of(const std::string& output, const std::string& error) {
  Chunks chunks;
  add(chunks, "stdout", to_bytes(output));
  add(chunks, "stderr", to_bytes(error));
  return chunks;
}

Chunks chunks_of(const ExecResult& result) {
  Chunks chunks;
  add(chunks, "stdout", result.output);
  add(chunks, "stderr", result.error);
  return chunks;
}

void bind_stream(nb::module_& module) {
  nb::class_<Stream>(module, "Stream", nb::is_final(), "The output of a running command, as it comes.")
      .def("__iter__", [](nb::handle self) { return nb::borrow(self); })
      .def("__next__", &Stream::next)
      .def("close", &Stream::close)
      .def("__enter__", [](nb::handle self) { return nb::borrow(self); })
      .def("__exit__", [](Stream& self, const nb::args&) { self.close(); })
      .def_prop_ro("result", &Stream::result);
  def_with_exec_arguments(
      module, "sandboxed_stream", [](Request request) { return Stream(std::move(request)); },
      "Start a command in a sandbox and take its output while it comes.");
}

}  // namespace nono::python
