// Denial: names that stay closed, and all below them, although a grant covers them. Value.
//
// It is about names: whatever has one when a command starts or gets one later is closed to it, and the name
// cannot be given to something else from inside. What is there today is held by nothing.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "capability/name_pattern.h"
#include "kernel/fd_table.h"

namespace nono::capability {

// What is closed.
enum class Closes {
  kAll,      // neither read nor changed
  kChanges,  // read, but not made, written, moved, linked or removed
};

// What the file system had at a literal's place when somebody looked. A directory has one name.
enum class Found { kNotAsked, kNothing, kOneName, kSeveralNames, kLink };

struct Denial {
  std::string original;  // as the caller gave it
  std::string resolved;  // canonical as far as it exists, absolute; of a pattern "**/.git/hooks", "/ws/**/*.pem"
  NamePattern names;
  Closes closes = Closes::kAll;
  std::string protected_by = {};  // the name in the protected set that it belongs to; empty: the user's own
  // Does not hold below the directory at Match::first when the running command has made that one itself.
  bool unless_made = false;
  Found found = Found::kNotAsked;
  std::optional<kernel::Identity> object = {};  // of a literal: what was there then

  // A path, or a pattern (name_pattern.h). kPathResolution, kInvalidArgument for what can name nothing.
  [[nodiscard]] static Result<Denial> of(const std::string& path_or_pattern);
  // For names that are known to be canonical.
  [[nodiscard]] static Denial literal(const std::string& canonical, Closes closes);

  [[nodiscard]] bool is_pattern() const { return !names.is_literal(); }
  // Is `place` (absolute, folded) denied, and which part of it says so? The shortest prefix counts.
  [[nodiscard]] std::optional<Match> match(const std::string& place) const { return names.match(PathNames(place)); }
  [[nodiscard]] bool covers(const std::string& place) const { return match(place).has_value(); }
  // Is `place` a directory on the way to what is denied, by a name that the rule spells? It may not be moved, nor
  // replaced by a move, nor be a symbolic link made inside.
  [[nodiscard]] bool leads_to(const std::string& place) const { return names.leads_to(PathNames(place)); }
  // Nothing outside of this is denied: "/" for `**/...`, of a literal itself.
  [[nodiscard]] const std::string& base() const { return names.base(); }

  // Of a literal: sets `found` and `object` by what is there now. `name` in the directory `at` is the same place.
  void look() { look_at(-1, resolved.c_str()); }
  void look_at(int at, const char* name);
  void saw(const struct ::stat* there);  // null: nothing

  bool operator==(const Denial&) const = default;
};

}  // namespace nono::capability
