#include "cli/signals.h"

#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>

#include "base/text.h"
#include "kernel/fd_table.h"

namespace nono::cli {

Result<EndSignals> EndSignals::take_over() {
  sigset_t ours;
  sigemptyset(&ours);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    sigaddset(&ours, signal);
  }
  Fd fd(::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return fail(ErrorKind::kIo, cat("signalfd failed: ", os_error(errno)));
  fd = NONO_TRY(kernel::above_stdio(std::move(fd)));
  ::sigprocmask(SIG_BLOCK, &ours, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return EndSignals(std::move(fd));
}

int EndSignals::received() const {
  signalfd_siginfo info{};
  return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace nono::cli
