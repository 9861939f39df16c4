// Waiting for a descriptor without the GIL, as Python waits: its signal handlers run meanwhile.
#pragma once

#include <chrono>
#include <optional>

namespace nono::python {

// Python runs its signal handlers on the main thread only, when asked. A signal wakes a wait; one that arrives just
// before it is noticed after this long.
inline constexpr std::chrono::nanoseconds kLookForSignals = std::chrono::milliseconds(500);

// With the GIL, which is let go of. False: not readable by the deadline. Throws what a signal handler raised.
[[nodiscard]] bool wait_readable(int fd, std::optional<std::chrono::steady_clock::time_point> deadline);

}  // namespace nono::python
