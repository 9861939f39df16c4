// Sizes and durations as people type them. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nono::cli {

// "512M", "1.5" is not one: whole numbers with K, M, G or T (also KB, KiB; powers of 1024), or
// bytes. Nothing when it is malformed or does not fit.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

// "30", "0.5": seconds above 0 and at most ten years.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_seconds(std::string_view text);

}  // namespace nono::cli
