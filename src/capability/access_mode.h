// AccessMode: what a grant allows on a path, as the user said it. What that means to the kernel is
// decided in plan/landlock_rules.h alone.
#pragma once

#include <string_view>

namespace nono::capability {

enum class AccessMode { kRead = 0, kWrite = 1, kReadWrite = 2 };

[[nodiscard]] constexpr bool reads(AccessMode mode) { return mode != AccessMode::kWrite; }
[[nodiscard]] constexpr bool writes(AccessMode mode) { return mode != AccessMode::kRead; }

// "read", "write", "read+write".
[[nodiscard]] constexpr std::string_view to_string(AccessMode mode) {
  switch (mode) {
    case AccessMode::kRead: return "read";
    case AccessMode::kWrite: return "write";
    case AccessMode::kReadWrite: return "read+write";
  }
  return "";
}

}  // namespace nono::capability
