// Error: a bad environment or a bad input, as a value that a person can act on.
//
// `kind` is stable and decides the Python exception, the C code and the CLI's wording.
// `message` is the whole sentence for the user; `hint` says what to change (may be empty).
// Text that came from a child or a stranger's file must be escaped before it goes in here
// (base/text.h). Values: copyable, comparable by kind, safe to move between threads.
#pragma once

#include <string>
#include <utility>

namespace nono {

enum class ErrorKind {
  kPathNotFound,        // ENOENT while a grant's path was resolved
  kExpectedDirectory,   // a directory was wanted
  kExpectedFile,        // a file was wanted
  kExpectedUnixSocket,  // a Unix socket was wanted
  kPathResolution,      // any other failure to resolve a path
  kSandboxInit,         // the plan cannot be enforced here, or a grant changed
  kUnsupported,         // this kernel or platform cannot do it at all
  kConfigParse,         // a policy document or a state is malformed
  kInvalidJson,         // text that is not the JSON it should be
  kInvalidArgument,     // the caller passed a value that makes no sense
  kProgramNotFound,     // the command's program does not exist
  kIo,                  // any other failed system call
};

struct Error {
  ErrorKind kind = ErrorKind::kIo;
  std::string message;
  std::string hint;
};

// The label that callers can switch on: "sandbox_denied_path", "configuration_error",
// "unsupported_platform_feature", "io_error" or "other" (api-compatible with nono-py 0.13).
[[nodiscard]] const char* diagnostic_code(ErrorKind kind);

}  // namespace nono
