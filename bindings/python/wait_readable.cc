#include "wait_readable.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "bindings.h"
#include "gil.h"

namespace nono::python {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Clock::duration kLong = std::chrono::hours(1);  // for a thread that runs no handlers

}  // namespace

bool wait_readable(int fd, std::optional<Clock::time_point> deadline) {
  const Clock::duration turn = ::gettid() == ::getpid() ? kLookForSignals : kLong;
  for (;;) {
    const Clock::duration left = deadline ? *deadline - Clock::now() : turn;
    const auto time = std::clamp<Clock::duration>(left, Clock::duration(0), turn);
    const timespec timeout{std::chrono::duration_cast<std::chrono::seconds>(time).count(),
                           (time % std::chrono::seconds(1)).count()};
    pollfd event{fd, POLLIN, 0};
    int ready = 0;
    {
      const WithoutGil no_gil;
      ready = ::ppoll(&event, 1, &timeout, nullptr);
    }
    if (ready > 0) return true;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (deadline && Clock::now() >= *deadline) return false;
  }
}

}  // namespace nono::python
