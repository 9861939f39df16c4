// The write tool, uploads, and the last step of an edit. A file is replaced at once: whoever reads it meanwhile has the
// old content or the new, and when the disk is full the old stays. It keeps its mode, owner and group. Where replacing would
// lose something else (a second name, attributes, an owner that cannot be given) it is written in place.
#pragma once

#include <string>
#include <string_view>

#include "files/failure.h"
#include "files/reach.h"

namespace nono::files {

enum class Existing { kIsReplaced, kIsRefused };  // kAlreadyExists

// Makes the directories that it is in. Failures: as Reach::open, kAlreadyExists, or the system's words.
[[nodiscard]] Expected<void> write_file(Reach& reach, const std::string& path, std::string_view content, Existing existing);

// The content of a file that is open for writing.
[[nodiscard]] Expected<void> replace_content(Reach& reach, Opened& file, std::string_view content);

}  // namespace nono::files
