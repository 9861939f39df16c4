// `nono run --json`: how a run ended, as one JSON object and a line end. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "cli/wait.h"

namespace nono::cli {

// {"exit_code", "signal", "timed_out", "failed_to_start", "duration", "truncated", "stdout", "stderr",
// "explanation"}
// (null or a line); duration in seconds; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string result_json(const Ending& ending, std::chrono::nanoseconds duration, int exit_code,
                                      const std::optional<std::string>& explanation);

// What is enough of a captured stderr to look for a denial in.
[[nodiscard]] std::string_view tail_of(std::string_view text);

}  // namespace nono::cli
