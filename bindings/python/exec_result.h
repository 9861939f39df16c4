// ExecResult: how one command ended, with what is needed to explain it later.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings.h"
#include "launch/command.h"
#include "plan/diagnostics.h"
#include "request.h"

namespace nono::python {

// What the diagnostics need of the request. Holds no descriptor: a result may be kept for long.
struct ExecContext {
  std::shared_ptr<const std::vector<capability::FsCapability>> grants;
  capability::DenialList denials;
  bool network_blocked = false;
  bool merged = false;  // stderr went where stdout does
  std::string program;
  std::string directory;
  std::chrono::steady_clock::time_point started;
};
[[nodiscard]] ExecContext context_of(const Request& request);

struct ExecResult {
  nb::bytes output{"", 0};
  nb::bytes error{"", 0};
  int exit_code = 0;
  bool timed_out = false;
  std::optional<int> signal;
  std::uint64_t dropped_bytes = 0;
  double duration = 0;  // seconds
  struct rusage usage {};
  std::optional<std::int64_t> max_rss_bytes;
  plan::KnownFacts facts;
  ExecContext context;
};

// nono's own words are where the command's stderr is.
[[nodiscard]] ExecResult finished(launch::Outcome outcome, bool expired, ExecContext context,
                                  std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now());
// The command was not started: exit code 126 and the reason.
[[nodiscard]] ExecResult refused(const Error& error, ExecContext context);
[[nodiscard]] ExecResult not_started(const std::string& reason, ExecContext context);

}  // namespace nono::python
