// _Child: one running command for an event loop; nono_py/_driver.py drives it.
#include "attempt.h"
#include "bindings.h"
#include "errors.h"
#include "exec_arguments.h"
#include "exec_result.h"
#include "gil.h"
#include "stream.h"

namespace nono::python {
namespace {

class AsyncChild {
 public:
  explicit AsyncChild(Request request) : timeout_(request.timeout), attempt_(attempt(std::move(request))) {}

  // A command that nobody waits for any more is ended.
  ~AsyncChild() {
    if (!attempt_.child) return;
    const WithoutGil no_gil;
    attempt_.child.reset();
  }
  AsyncChild(AsyncChild&&) = default;
  AsyncChild& operator=(AsyncChild&&) = delete;
  AsyncChild(const AsyncChild&) = delete;
  AsyncChild& operator=(const AsyncChild&) = delete;

  int fileno() { return child() ? take(child()->event_descriptor()) : -1; }

  // Moves what there is to move; true when the tree has ended. Never waits.
  bool step() {
    ended_ = !child() || child()->poll(std::chrono::nanoseconds(0)) == launch::Child::Progress::kEnded;
    return ended_;
  }

  bool has_output() const { return child() && child()->has_output(); }

  nb::list take_chunks() {
    nb::list list;
    if (!child()) return list;
    const std::string output = child()->take_output();
    for (const nb::tuple& chunk : chunks_of(output, child()->take_error())) list.append(chunk);
    return list;
  }

  void kill() {
    if (child()) child()->kill();
  }

  nb::object timeout() const {
    if (!timeout_) return nb::none();
    return nb::float_(std::chrono::duration<double>(*timeout_).count());
  }

  // Once, after `step` said true.
  ExecResult result(bool expired) {
    if (attempt_.result) return *attempt_.result;
    if (!ended_ || !child()) raise(PyExc_RuntimeError, "result() is for once, after step() said True");
    launch::Outcome outcome = child()->take_outcome();
    attempt_.child.reset();
    return finished(std::move(outcome), expired, std::move(attempt_.context));
  }

 private:
  [[nodiscard]] launch::Child* child() const { return attempt_.child.get(); }

  std::optional<std::chrono::nanoseconds> timeout_;
  Attempt attempt_;
  bool ended_ = false;
};

AsyncChild spawn_stream(Request request) {
  make_stream(request);
  return AsyncChild(std::move(request));
}

}  // namespace

void bind_async_child(nb::module_& module) {
  nb::class_<AsyncChild>(module, "_Child", nb::is_final())
      .def("fileno", &AsyncChild::fileno)
      .def("step", &AsyncChild::step)
      .def("take", &AsyncChild::take_chunks)
      .def("kill", &AsyncChild::kill)
      .def("result", &AsyncChild::result, nb::arg("timed_out"))
      .def_prop_ro("has_output", &AsyncChild::has_output)
      .def_prop_ro("timeout", &AsyncChild::timeout);
  def_with_exec_arguments(
      module, "_spawn", [](Request request) { return AsyncChild(std::move(request)); },
      "Start a command in a sandbox.");
  def_with_exec_arguments(module, "_spawn_stream", spawn_stream,
                          "Start a command in a sandbox, to take its output while it comes.");
}

}  // namespace nono::python
