// PathGlob: a pattern of the glob and grep tools, as Deep Agents means it.
//
// `*`, `?`, `[a-z]`, `[!x]`, `{a,b}`; a name that begins with a dot takes a pattern that does. Without a slash it is about the
// last name, at any depth; with one about the path below the searched directory, where `**` is any number of directories whose
// names do not begin with a dot. Pure, and a value; patterns are the agent's, and bounded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files/failure.h"

namespace nono::files {

// Before deepagents 0.7.7 a pattern without a slash was about the names in the searched directory itself.
enum class Depth { kAny, kTop };

class PathGlob {
 public:
  // kInvalidPattern: a `..` in it. kPatternTooBroad: too many braces.
  [[nodiscard]] static Expected<PathGlob> of(std::string_view pattern, Depth depth = Depth::kAny);

  // `path`: below the searched directory, without a slash at its beginning.
  [[nodiscard]] bool matches(std::string_view path) const;
  // Could something below this directory match? May say yes when not.
  [[nodiscard]] bool may_match_below(std::string_view directory) const;

 private:
  struct Name {
    std::string text;
    bool is_literal = false;
    bool is_suffix = false;  // `*` and then text without a special character
    bool is_tree = false;    // `**`
    bool is_hidden = false;  // spells a dot first
    [[nodiscard]] bool matches(std::string_view name) const;
  };
  using Alternative = std::vector<Name>;

  static Name name_of(std::string_view text);

  bool is_of_last_name_ = false;
  std::vector<Alternative> alternatives_;
};

}  // namespace nono::files
