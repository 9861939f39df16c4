// The read tool: a page of a text file by lines, or a small binary file whole. As Deep Agents' own, without what is wrong
// there: a file that turns out not to be text has the same bound as any binary one, and bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "files/failure.h"
#include "files/reach.h"

namespace nono::files {

enum class Kind { kText, kBinary };  // what the file's name says

struct Window {
  Kind kind = Kind::kText;
  std::uint64_t offset = 0;  // lines before the first one wanted
  std::uint64_t limit = 0;   // lines wanted
};

struct Page {
  std::string content;
  bool is_text = true;
  bool is_empty_file = false;       // then nothing else is said
  bool no_lines_requested = false;  // likewise
  // Text: which lines these are, from 1. The total is not known where the rest of a large file would have to be read.
  std::uint64_t start_line = 0;
  std::uint64_t end_line = 0;
  std::optional<std::uint64_t> total_lines;
  std::optional<std::uint64_t> next_offset;
};

// Bytes of a page, or of a binary file, at most. Failures: those of Reach::open; kTooLarge for a binary file; a sentence
// where the file has fewer lines than `offset`.
inline constexpr std::size_t kMostPageBytes = std::size_t{500} * 1024;

[[nodiscard]] Expected<Page> read_page(Reach& reach, const std::string& path, const Window& window);

// All of a file, up to kMostBytes. Failures: and kTooLarge.
inline constexpr std::size_t kMostBytes = std::size_t{64} * 1024 * 1024;
[[nodiscard]] Expected<std::string> read_all(Reach& reach, const std::string& path);
[[nodiscard]] Expected<std::string> read_all(const Opened& file, std::size_t most = kMostBytes);

}  // namespace nono::files
