// The names in an open directory, and what is there. Another may change it meanwhile: what was seen counts.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/fd.h"

namespace nono::files {

// Calls `each` with every name but "." and "..", and what the directory says it is (DT_*, perhaps DT_UNKNOWN), until one
// says false. 0 or an errno. The view ends with the call, and a 0 byte follows it.
[[nodiscard]] int for_each_name(const Fd& directory, const std::function<bool(std::string_view, unsigned char)>& each);

}  // namespace nono::files
