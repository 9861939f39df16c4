#include "files/path_glob.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/text.h"

namespace nono::files {
namespace {

constexpr std::size_t kMostAlternatives = 1000;  // as Deep Agents

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

std::size_t end_of_group(std::string_view pattern, std::size_t begin) {
  int depth = 0;
  for (std::size_t i = begin; i < pattern.size(); ++i) {
    if (pattern[i] == '{') ++depth;
    if (pattern[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

std::vector<std::string> split_group(std::string_view body) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : body) {
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (c == ',' && depth == 0) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

// The patterns without braces that `pattern` stands for. False: too many.
bool expand(const std::string& prefix, std::string_view pattern, std::vector<std::string>& into) {
  const std::size_t begin = pattern.find('{');
  const std::size_t end = begin == std::string_view::npos ? begin : end_of_group(pattern, begin);
  if (end == std::string_view::npos) {
    into.push_back(prefix + std::string(pattern));
    return into.size() <= kMostAlternatives;
  }
  const std::string before = prefix + std::string(pattern.substr(0, begin));
  const auto parts = split_group(pattern.substr(begin + 1, end - begin - 1));
  // A group of one is meant literally.
  if (parts.size() == 1) return expand(before + std::string(pattern.substr(begin, end + 1 - begin)), pattern.substr(end + 1), into);
  return std::ranges::all_of(parts, [&](const std::string& part) {
    return expand(before, part + std::string(pattern.substr(end + 1)), into);
  });
}

struct Character {
  std::uint32_t code = 0;
  std::size_t length = 1;
};

// A byte that is no UTF-8 is a character of its own, unlike all others.
Character first_of(std::string_view text) {
  const auto decoded = decode_utf8(text);
  if (decoded.length != 0) return {decoded.code_point, decoded.length};
  return {0x110000U + static_cast<unsigned char>(text[0]), 1};
}

// The end of a class that begins with '[' at 0, one past its ']'; 0: it is no class.
std::size_t end_of_class(std::string_view pattern) {
  const std::size_t begin = pattern.size() > 1 && (pattern[1] == '!' || pattern[1] == '^') ? 2 : 1;
  const std::size_t close = pattern.find(']', begin + 1);  // a first ']' is one of the set
  return close == std::string_view::npos ? 0 : close + 1;
}

// `body`: between the brackets.
bool is_in_class(std::uint32_t code, std::string_view body) {
  const bool is_negated = body.starts_with('!') || body.starts_with('^');
  if (is_negated) body.remove_prefix(1);
  bool is_in = false;
  while (!body.empty()) {
    const Character low = first_of(body);
    body.remove_prefix(low.length);
    Character high = low;
    if (body.size() > 1 && body[0] == '-') {
      high = first_of(body.substr(1));
      body.remove_prefix(1 + high.length);
    }
    is_in = is_in || (low.code <= code && code <= high.code);
  }
  return is_in != is_negated;
}

// What one step of a pattern takes of a name; the pattern does not begin with '*'.
struct Step {
  std::size_t pattern = 0;
  std::size_t name = 0;
};
std::optional<Step> step(std::string_view pattern, std::string_view name) {
  if (name.empty()) return std::nullopt;
  const Character character = first_of(name);
  if (pattern[0] == '?') return Step{1, character.length};
  if (pattern[0] == '[') {
    if (const std::size_t end = end_of_class(pattern); end != 0) {
      if (!is_in_class(character.code, pattern.substr(1, end - 2))) return std::nullopt;
      return Step{end, character.length};
    }
  }
  return pattern[0] == name[0] ? std::optional(Step{1, 1}) : std::nullopt;
}

// Only the last '*' has to be tried again.
bool matches_wild(std::string_view pattern, std::string_view name) {
  std::optional<std::string_view> star;  // the pattern after it
  std::string_view star_name;
  for (;;) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      star = pattern;
      star_name = name;
      continue;
    }
    if (pattern.empty() && name.empty()) return true;
    const auto taken = pattern.empty() ? std::nullopt : step(pattern, name);
    if (taken) {
      pattern.remove_prefix(taken->pattern);
      name.remove_prefix(taken->name);
      continue;
    }
    if (!star || star_name.empty()) return false;
    star_name.remove_prefix(first_of(star_name).length);
    pattern = *star;
    name = star_name;
  }
}

bool has_dot(std::string_view name) { return name.starts_with('.'); }

}  // namespace

PathGlob::Name PathGlob::name_of(std::string_view text) {
  constexpr std::string_view kSpecial = "*?[";
  Name name;
  name.is_hidden = text.starts_with('.');
  name.is_tree = text == "**";
  name.is_literal = text.find_first_of(kSpecial) == std::string_view::npos;
  name.is_suffix = text.starts_with('*') && text.find_first_of(kSpecial, 1) == std::string_view::npos;
  name.text = std::string(name.is_suffix ? text.substr(1) : text);
  return name;
}

bool PathGlob::Name::matches(std::string_view name) const {
  if (is_literal) return name == text;
  if (is_suffix) return !has_dot(name) && name.ends_with(text);
  return (!has_dot(name) || is_hidden) && matches_wild(text, name);
}

Expected<PathGlob> PathGlob::of(std::string_view pattern, Depth depth) {
  if (std::ranges::count(split(pattern), "..") > 0) return refuse(code::kInvalidPattern);
  std::vector<std::string> expanded;
  if (!expand({}, pattern, expanded)) return refuse(code::kPatternTooBroad);
  PathGlob glob;
  glob.is_of_last_name_ = depth == Depth::kAny && pattern.find('/') == std::string_view::npos;
  for (const std::string& text : expanded) {
    if (std::ranges::count(split(text), "..") > 0) return refuse(code::kInvalidPattern);  // {.,x}{.,y}
    Alternative alternative;
    for (const std::string_view part : split(text)) alternative.push_back(name_of(part));
    // A slash at the end asks for a directory, but after `**`, and of an empty pattern nothing is left.
    const bool asks_directory = text.ends_with('/') && (alternative.empty() || !alternative.back().is_tree);
    if (alternative.empty() || asks_directory) continue;
    glob.alternatives_.push_back(std::move(alternative));
  }
  return glob;
}

bool PathGlob::matches(std::string_view path) const {
  if (is_of_last_name_) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return std::ranges::any_of(alternatives_, [&](const Alternative& alternative) { return alternative.front().matches(name); });
  }
  const auto names = split(path);
  return std::ranges::any_of(alternatives_, [&](const Alternative& alternative) {
    // reached[i]: the pattern so far can have taken the first i names.
    std::vector<char> reached(names.size() + 1, 0);
    reached[0] = 1;
    for (std::size_t p = 0; p < alternative.size(); ++p) {
      const Name& name = alternative[p];
      const bool is_last = p + 1 == alternative.size();
      std::vector<char> next(names.size() + 1, 0);
      for (std::size_t i = 0; i <= names.size(); ++i) {
        if (name.is_tree) {
          // At the end it takes at least one.
          if (reached[i] && !is_last) next[i] = 1;
          if (i > 0 && !has_dot(names[i - 1]) && (next[i - 1] || reached[i - 1])) next[i] = 1;
        } else if (i > 0 && reached[i - 1] && name.matches(names[i - 1])) {
          next[i] = 1;
        }
      }
      reached = std::move(next);
    }
    return reached.back() != 0;
  });
}

bool PathGlob::may_match_below(std::string_view directory) const {
  if (is_of_last_name_) return true;
  const auto names = split(directory);
  return std::ranges::any_of(alternatives_, [&](const Alternative& alternative) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i >= alternative.size()) return false;
      if (alternative[i].is_tree) {
        const bool spells_hidden = std::ranges::any_of(std::span(alternative).subspan(i), &Name::is_hidden);
        return spells_hidden || std::ranges::none_of(std::span(names).subspan(i), has_dot);
      }
      if (!alternative[i].matches(names[i])) return false;
    }
    return names.size() < alternative.size();
  });
}

}  // namespace nono::files
