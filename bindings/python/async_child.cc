// _Child: one running command for an event loop; nono_py/_async.py drives it.
#include "bindings.h"
#include "errors.h"
#include "exec_arguments.h"
#include "exec_result.h"
#include "gil.h"
#include "start.h"

namespace nono::python {
namespace {

class AsyncChild {
 public:
  explicit AsyncChild(Request request) : context_(context_of(request)), timeout_(request.timeout) {
    obstacle_ = request.obstacle;
    if (obstacle_) return;
    std::optional<Error> error;
    {
      const WithoutGil no_gil;
      if (auto child = start(std::move(request))) {
        child_ = *std::move(child);
      } else {
        error = std::move(child).error();
      }
    }
    if (error && error->kind == ErrorKind::kIo) raise(*error);
    refusal_ = std::move(error);
  }

  // A command that nobody waits for any more is ended.
  ~AsyncChild() {
    if (!child_) return;
    const WithoutGil no_gil;
    child_.reset();
  }
  AsyncChild(AsyncChild&&) = default;
  AsyncChild& operator=(AsyncChild&&) = delete;
  AsyncChild(const AsyncChild&) = delete;
  AsyncChild& operator=(const AsyncChild&) = delete;

  int fileno() { return child_ ? take(child_->event_descriptor()) : -1; }

  // Moves what there is to move; true when the tree has ended. Never waits.
  bool step() {
    ended_ = !child_ || child_->poll(std::chrono::nanoseconds(0)) == launch::Child::Progress::kEnded;
    return ended_;
  }

  void kill() {
    if (child_) child_->kill();
  }

  nb::object timeout() const {
    if (!timeout_) return nb::none();
    return nb::float_(std::chrono::duration<double>(*timeout_).count());
  }

  // Once, after `step` said true.
  ExecResult result(bool expired) {
    if (obstacle_) return not_started(*obstacle_, std::move(context_));
    if (refusal_) return refused(*refusal_, std::move(context_));
    if (!ended_ || !child_) raise(PyExc_RuntimeError, "result() is for once, after step() said True");
    launch::Outcome outcome = child_->take_outcome();
    child_.reset();
    return finished(std::move(outcome), expired, std::move(context_));
  }

 private:
  ExecContext context_;
  std::optional<std::chrono::nanoseconds> timeout_;
  std::optional<std::string> obstacle_;
  std::optional<Error> refusal_;
  std::unique_ptr<launch::Child> child_;
  bool ended_ = false;
};

}  // namespace

void bind_async_child(nb::module_& module) {
  nb::class_<AsyncChild>(module, "_Child", nb::is_final())
      .def("fileno", &AsyncChild::fileno)
      .def("step", &AsyncChild::step)
      .def("kill", &AsyncChild::kill)
      .def("result", &AsyncChild::result, nb::arg("timed_out"))
      .def_prop_ro("timeout", &AsyncChild::timeout);
  def_with_exec_arguments(
      module, "_spawn", [](Request request) { return AsyncChild(std::move(request)); },
      "Start a command in a sandbox.");
}

}  // namespace nono::python
