#include "kernel/fd_table.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"

namespace nono::kernel {
namespace {

tl::unexpected<Error> io_error(std::string_view what) {
  return fail(ErrorKind::kIo, cat("I/O error: ", what, ": ", os_error(errno)));
}

}  // namespace

Result<Fd> above_stdio(Fd fd) {
  if (!fd.valid()) return io_error("open");
  if (fd.get() > 2) return fd;
  Fd higher(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!higher.valid()) return io_error("fcntl(F_DUPFD_CLOEXEC)");
  return higher;
}

Result<Pipe> pipe2(int flags) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | flags) != 0) {
    return fail(ErrorKind::kIo, cat("pipe2() failed: ", os_error(errno)));
  }
  Fd read(ends[0]);
  Fd write(ends[1]);
  Pipe pipe;
  pipe.read = NONO_TRY(above_stdio(std::move(read)));
  pipe.write = NONO_TRY(above_stdio(std::move(write)));
  return pipe;
}

Result<Fd> eventfd() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return fail(ErrorKind::kIo, cat("eventfd() failed: ", os_error(errno)));
  return above_stdio(std::move(event));
}

Result<Identity> fstat(const Fd& fd) {
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return io_error("fstat");
  return Identity{st.st_dev, st.st_ino, st.st_mode};
}

Result<Fd> open_path(const std::string& path, int extra_flags) {
  Fd fd(::open(path.c_str(), O_PATH | O_CLOEXEC | extra_flags));
  if (!fd.valid()) return io_error(cat("open ", escape(path)));
  return above_stdio(std::move(fd));
}

}  // namespace nono::kernel
