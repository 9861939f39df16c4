// NamePattern: which path names a rule is about, compared component by component. Value, pure: what a link
// on the way points to is for whoever asks to know. The names are an attacker's: any bytes, any number of them.
//
// A pattern is a directory that is spelled out (the base) and components below it:
//   **         any number of directories, also none
//   * ? [...]  as in a shell, within one component; a leading dot is nothing special, nor is a backslash
//   others     themselves
// Without components it is a literal: the base itself. In a rule that closes names the case of ASCII letters never
// counts: a directory that folds case must not offer a second spelling. In one that opens them it does. `?` is one
// UTF-8 character, or one byte of what is none.
// Time: names times components, whatever the pattern.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nono::capability {

// An absolute, folded path taken apart once, for many comparisons. Borrows the text.
class PathNames {
 public:
  explicit PathNames(std::string_view path);
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::string_view operator[](std::size_t i) const { return path_.substr(start(i), ends_[i] - start(i)); }
  // Length of the prefix that ends with the first `count` names.
  [[nodiscard]] std::size_t length(std::size_t count) const { return count == 0 ? 1 : ends_[count - 1]; }
  [[nodiscard]] std::string_view path() const { return path_; }
  // A set of the names' marks, see mark_of.
  [[nodiscard]] std::uint64_t marks() const { return marks_; }

 private:
  [[nodiscard]] std::size_t start(std::size_t i) const { return i == 0 ? 1 : ends_[i - 1] + 1; }
  std::string_view path_;
  std::vector<std::size_t> ends_;
  std::uint64_t marks_ = 0;
};

// One of 64 bits, the same for names that differ in the case of ASCII letters only. Most names that a rule does not spell have
// another one, so that a rule is passed by at the cost of a comparison of numbers.
[[nodiscard]] std::uint64_t mark_of(std::string_view name);

// Lengths of prefixes of a place, of whole components.
struct Match {
  std::size_t first = 0;  // up to the first component that the rule spells; as `last` when it spells none
  std::size_t last = 0;   // up to what the rule is about
  bool operator==(const Match&) const = default;
};

enum class Case { kIgnored, kCounts };

class NamePattern {
 public:
  // Does this text mean a pattern, and not a path?
  [[nodiscard]] static bool is_pattern(std::string_view text) { return text.find_first_of("*?[") != text.npos; }

  // `**/x` is anywhere; any other text belongs to the current directory unless it is absolute. The spelled-out
  // directory is canonicalized as far as it exists. A `**` at the end adds nothing and is left out.
  // kInvalidArgument, saying why, for what can match nothing or everything.
  [[nodiscard]] static Result<NamePattern> parse(const std::string& text, Case letters = Case::kIgnored);
  // The path itself; absolute and folded.
  [[nodiscard]] static NamePattern literal(const std::string& path) { return NamePattern(path, {}, Case::kIgnored); }

  [[nodiscard]] bool is_literal() const { return components_.empty(); }
  [[nodiscard]] const std::string& base() const { return base_; }
  [[nodiscard]] bool is_ascii() const { return is_ascii_; }
  [[nodiscard]] std::string to_string() const;  // "/ws/.env", "/ws/**/*.pem", "**/.git/hooks"

  // The shortest prefix of `place` that matches and is longer than `beyond`.
  [[nodiscard]] std::optional<Match> match(const PathNames& place, std::size_t beyond = 0) const;
  // Is `place` on the way to what could match: above the base (or, with components, the base), or does it match
  // some of the components from the first one on, but not all, of which the last is not `**`?
  [[nodiscard]] bool leads_to(const PathNames& place) const { return leads_to(place, false); }
  // The same with `**` as last one, too: can anything that matches lie below this directory?
  [[nodiscard]] bool may_hold(const PathNames& place) const { return leads_to(place, true); }

  bool operator==(const NamePattern&) const = default;

 private:
  struct Component {
    enum class Kind { kName, kWild, kAnyDepth };
    Kind kind = Kind::kName;
    std::string text;
    [[nodiscard]] bool matches(std::string_view name, Case letters) const;
    bool operator==(const Component&) const = default;
  };

  NamePattern(std::string base, std::vector<Component> components, Case letters);
  [[nodiscard]] bool leads_to(const PathNames& place, bool by_any_depth) const;
  [[nodiscard]] bool base_matches(const PathNames& place) const;

  std::string base_;
  std::size_t base_names_ = 0;  // how many
  std::vector<Component> components_;
  std::uint64_t marks_ = 0;  // of the components that are spelled out
  bool is_ascii_ = true;
  Case letters_;
};

}  // namespace nono::capability
