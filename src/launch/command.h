// Command: what to run under a Plan, and what its three standard streams are. Value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <sys/resource.h>

namespace nono::launch {

// Where the child reads from: nothing (/dev/null), these bytes, or a descriptor of the caller's.
struct NoInput {};
struct InputBytes {
  std::string bytes;
};
struct InputDescriptor {
  int fd = 0;  // borrowed until the launch returns
};
using Input = std::variant<NoInput, InputBytes, InputDescriptor>;

// Where stdout or stderr go: kept within a bound; held within one until they are taken while the command runs
// (Child::take_output), which waits when it is full; or a descriptor of the caller's.
struct Capture {
  std::size_t max_bytes = 64 * 1024 * 1024;
};
struct Stream {
  std::size_t max_bytes = 1024 * 1024;
};
struct OutputDescriptor {
  int fd = 1;  // borrowed until the launch returns
};
using Output = std::variant<Capture, Stream, OutputDescriptor>;

struct Command {
  std::string program;            // absolute path (launch/program.h)
  std::vector<std::string> argv;  // argv[0] included
  std::string directory;          // absolute, canonical
  Input input;
  Output output = Capture{};
  Output error = Capture{};
  // stderr is what stdout is, so that both come in the order of writing; `error` has no meaning then.
  bool error_is_output = false;
  // This process is there for this command only, its last one: from before the command's first instruction to its own
  // end no other process of the same user can trace it, read its memory or take its descriptors, nor does it leave a
  // core. An ordinary user's process can make no user namespace for another command then.
  bool hides_this_process = false;
};

// Why the command never ran, in words for its stderr.
struct SetupFailure {
  int exit_code = 126;  // 127: exec itself failed
  std::string message;  // "nono: exec failed: Permission denied (os error 13)\n"
};

// How it ended. Of a Stream there is nothing in `output` and `error` but nono's own words.
struct Outcome {
  std::string output;
  std::string error;
  std::uint64_t dropped_output_bytes = 0;
  std::uint64_t dropped_error_bytes = 0;
  int exit_status = 0;   // when signal is 0
  int signal = 0;        // what killed it
  bool cancelled = false;  // ended by Child::kill, a deadline included
  bool failed_to_start = false;
  SetupFailure setup_failure;  // when failed_to_start
  struct rusage usage {};      // of the command and the children it waited for
};

}  // namespace nono::launch
