#include "cli/run_result.h"

#include <nlohmann/json.hpp>

namespace nono::cli {

std::string result_json(const Ending& ending, std::chrono::nanoseconds duration, int exit_code,
                        const std::optional<std::string>& explanation) {
  using Json = nlohmann::ordered_json;
  const launch::Outcome& outcome = ending.outcome;
  Json result;
  result["exit_code"] = exit_code;
  result["signal"] = outcome.signal != 0 ? Json(outcome.signal) : Json(nullptr);
  result["timed_out"] = ending.timed_out;
  result["failed_to_start"] = outcome.failed_to_start;
  result["duration"] = std::chrono::duration<double>(duration).count();
  result["truncated"] = outcome.dropped_output_bytes != 0 || outcome.dropped_error_bytes != 0;
  result["stdout"] = outcome.output;
  result["stderr"] = outcome.failed_to_start ? outcome.setup_failure.message : outcome.error;
  result["explanation"] = explanation ? Json(*explanation) : Json(nullptr);
  return result.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string_view tail_of(std::string_view text) {
  constexpr std::size_t kEnough = 64 * 1024;
  return text.substr(text.size() > kEnough ? text.size() - kEnough : 0);
}

}  // namespace nono::cli
