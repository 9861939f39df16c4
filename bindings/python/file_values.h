// What the file tools have found, as Python values. With the GIL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bindings.h"
#include "files/grep.h"
#include "files/list.h"

namespace nono::python {

// What people and models read: U+FFFD for bytes that are not UTF-8.
[[nodiscard]] nb::object shown(std::string_view text);

// A dict each: path (`prefix` before the name), is_dir, size in bytes, modified_at in ISO 8601.
[[nodiscard]] nb::list entries_of(const std::vector<files::Entry>& entries, const std::string& prefix);

// (A dict for each line: path, line, text; were there more?) `searched`: the path of a single file that was.
[[nodiscard]] nb::object matches_of(const files::Grepped& grepped, const std::string& prefix, const std::string& searched);

}  // namespace nono::python
