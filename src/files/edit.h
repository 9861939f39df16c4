// The edit tool: replaces literal text in a file (text_edit.h), at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "files/failure.h"
#include "files/reach.h"
#include "files/text_edit.h"

namespace nono::files {

// How many were replaced. Failures: those of edit_text, of Reach::open for reading and writing, and of replace_content.
[[nodiscard]] Expected<std::uint64_t> edit_file(Reach& reach, const std::string& path, std::string_view old_text,
                                                std::string_view new_text, Occurrences which);

}  // namespace nono::files
