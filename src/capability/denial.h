// Denial: a path that stays closed, and all below it, although a grant covers it. Value.
//
// It is about the name: whatever is at `resolved` when a command starts is closed to it, and the name
// cannot be given to something else from inside. What it is today is not held.
#pragma once

#include <string>

#include "base/result.h"

namespace nono::capability {

struct Denial {
  std::string original;  // as the caller gave it
  std::string resolved;  // canonical as far as it exists, absolute

  // kPathResolution for what no kernel call accepts (empty, embedded NUL).
  [[nodiscard]] static Result<Denial> of(const std::string& path);

  [[nodiscard]] bool covers(const std::string& canonical) const;
  bool operator==(const Denial&) const = default;
};

}  // namespace nono::capability
