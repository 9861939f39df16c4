#include "cli/relay.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "kernel/fd_table.h"

namespace nono::cli {

Result<Relay> Relay::make(int target, std::size_t keep) {
  kernel::Pipe pipe = NONO_TRY(kernel::pipe2(0));
  if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail(ErrorKind::kIo, cat("fcntl(O_NONBLOCK) failed: ", os_error(errno)));
  }
  return Relay(std::move(pipe.read), std::move(pipe.write), target, keep);
}

pollfd Relay::wanted() const {
  if (pending_.empty()) return {reader_.get(), POLLIN, 0};
  return {own_target_.valid() ? own_target_.get() : target_, POLLOUT, 0};
}

bool Relay::step() { return pending_.empty() ? read_some() : write_some(); }

void Relay::last_words(std::string_view text) {
  reader_.reset();
  if (!text.empty() && !kept_.empty() && kept_.back() != '\n') pending_ += '\n';
  pending_ += text;
}

bool Relay::read_some() {
  if (!reader_.valid()) return false;
  std::array<char, 64 * 1024> chunk;
  const ssize_t n = ::read(reader_.get(), chunk.data(), chunk.size());
  if (n > 0) {
    pending_.assign(chunk.data(), static_cast<std::size_t>(n));
    keep(pending_);
    return true;
  }
  if (n == 0) reader_.reset();
  return n == 0 || errno == EINTR;
}

bool Relay::write_some() {
  open_target();
  const int fd = own_target_.valid() ? own_target_.get() : target_;
  // Without an opening of our own a write may wait; a pipe that poll calls writable takes this much.
  const std::size_t most = own_target_.valid() || target_is_socket_ ? pending_.size() : PIPE_BUF;
  const std::size_t size = std::min(most, pending_.size());
  const ssize_t n = target_is_socket_ ? ::send(fd, pending_.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                      : ::write(fd, pending_.data(), size);
  if (n > 0) {
    pending_.erase(0, static_cast<std::size_t>(n));
    return true;
  }
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && errno == EAGAIN) return false;
  const int error = errno;
  pending_.clear();
  // Nobody reads: let the command notice as it would have without us. Of other errors (a full disk)
  // it would hear too, and carry on.
  if (error == EPIPE || error == ECONNRESET) reader_.reset();
  return true;
}

// O_NONBLOCK belongs to the open file, which is shared with whoever gave it to us: set it on an
// opening of our own. A regular file never makes a writer wait, and must keep its offset.
void Relay::open_target() {
  if (target_is_open_) return;
  target_is_open_ = true;
  struct stat st {};
  if (::fstat(target_, &st) != 0) return;
  target_is_socket_ = S_ISSOCK(st.st_mode);
  if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)) return;
  Fd opened(::open(cat("/proc/self/fd/", target_).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!opened.valid()) return;
  if (auto above = kernel::above_stdio(std::move(opened))) own_target_ = *std::move(above);
}

void Relay::keep(std::string_view bytes) {
  kept_.append(bytes);
  // Cut rarely: moving the whole tail for every small write would cost more than the write.
  if (kept_.size() > 2 * keep_) kept_.erase(0, kept_.size() - keep_);
}

}  // namespace nono::cli
