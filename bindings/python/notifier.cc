#include "notifier.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "convert.h"
#include "errors.h"
#include "kernel/fd_table.h"

namespace nono::python {
namespace {

Notifier make_notifier() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) raise(Error{ErrorKind::kIo, "eventfd: " + os_error(errno), {}});
  return {std::make_shared<Ended>(take(kernel::above_stdio(std::move(event))))};
}

}  // namespace

void Ended::add(std::uint64_t number) {
  {
    const std::lock_guard lock(mutex_);
    numbers_.push_back(number);
  }
  (void)!::eventfd_write(event_.get(), 1);
}

std::vector<std::uint64_t> Ended::take() {
  eventfd_t count = 0;
  (void)!::eventfd_read(event_.get(), &count);
  const std::lock_guard lock(mutex_);
  return std::exchange(numbers_, {});
}

void bind_notifier(nb::module_& module) {
  nb::class_<Notifier>(module, "_Notifier", nb::is_final())
      .def(nb::new_(&make_notifier))
      .def("fileno", [](const Notifier& self) { return self.ended->descriptor(); })
      .def("take", [](const Notifier& self) {
        nb::list numbers;
        for (const std::uint64_t number : self.ended->take()) numbers.append(nb::int_(number));
        return numbers;
      });
}

}  // namespace nono::python
