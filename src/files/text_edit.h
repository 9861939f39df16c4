// Replaces literal text in text, true to its line ends. Pure; all three texts are the agent's.
//
// Agents see CRLF as LF, so the text is looked for as given, then with CRLF, then with LF line ends; the first that occurs
// decides, and the new text gets the same ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "files/failure.h"

namespace nono::files {

enum class Occurrences { kOne, kAll };  // of the old text: there must be exactly one, or all are replaced

struct Edited {
  std::string content;
  std::uint64_t occurrences = 0;
};

// `old_text` is not empty. `most`: bytes that the text may have then. Failures: kNotText, kStringNotFound, kSeveralOccurrences,
// kTooLarge.
[[nodiscard]] Expected<Edited> edit_text(std::string_view content, std::string_view old_text, std::string_view new_text,
                                         Occurrences which, std::size_t most);

}  // namespace nono::files
