#include "cli/terminal.h"

#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "cli/args.h"

namespace nono::cli {
namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kProgramNotFound: return kExitNotFound;
    case ErrorKind::kSandboxInit:
    case ErrorKind::kUnsupported:
    case ErrorKind::kIo: return kExitNoSandbox;
    default: return kExitUsage;
  }
}

}  // namespace

bool print(std::string_view text) { return write_all(STDOUT_FILENO, text); }
bool print_error(std::string_view text) { return write_all(STDERR_FILENO, text); }

int report(const Error& error) {
  std::string text = cat("nono: ", escape(error.message), "\n");
  if (!error.hint.empty()) text += cat("      ", escape(error.hint), "\n");
  print_error(text);
  return exit_code(error.kind);
}

}  // namespace nono::cli
