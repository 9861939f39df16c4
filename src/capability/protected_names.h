// The protected set: names that somebody outside trusts, wherever they lie. What is written there runs, or decides
// what runs, with the user's own rights and without being asked: a git hook, a shell's start file, an editor's task.
// So a sandbox may read them, and neither make nor change them. Values; any thread.
//
// Not in it, because builds write them all the time: Makefiles, package.json, the source itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "capability/denial_list.h"

namespace nono::capability {

// Which of the names are protected.
class ProtectedNames {
 public:
  // In the order of the table: "git", "direnv", ...
  [[nodiscard]] static std::vector<std::string> known();

  // A known name, or "all". kInvalidArgument, listing the known ones, with nothing changed.
  [[nodiscard]] Status add(std::string_view name);
  [[nodiscard]] Status remove(std::string_view name);

  [[nodiscard]] bool contains(std::string_view name) const;
  [[nodiscard]] bool empty() const { return chosen_ == 0; }
  [[nodiscard]] std::vector<std::string> names() const;

  // One list for each set of names, made once per process; null for none.
  [[nodiscard]] DenialList::Shared rules() const;

  bool operator==(const ProtectedNames&) const = default;

 private:
  std::uint32_t chosen_ = 0;  // a bit for each known name
};

}  // namespace nono::capability
