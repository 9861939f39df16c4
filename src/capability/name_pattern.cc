#include "capability/name_pattern.h"

#include <limits.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/text.h"
#include "capability/path_resolution.h"

namespace nono::capability {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool same(std::string_view a, std::string_view b, Case letters) {
  if (letters == Case::kCounts) return a == b;
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

// A character, or a byte that is part of none: those have numbers of their own.
struct Character {
  std::uint32_t value = 0;
  std::size_t length = 1;
};

Character character_at(std::string_view text, std::size_t at) {
  const auto byte = static_cast<std::uint8_t>(text[at]);
  if (byte < 0x80) return {byte, 1};
  const DecodedUtf8 decoded = decode_utf8(text.substr(at));
  if (decoded.length == 0) return {0x110000U + byte, 1};
  return {decoded.code_point, decoded.length};
}

// [...] at `at` of `pattern`, which is known to be closed: does it hold `wanted`? Moves `at` behind it.
bool bracket_holds(std::string_view pattern, std::size_t& at, std::uint32_t wanted) {
  ++at;
  const bool negated = pattern[at] == '!' || pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  for (bool is_first = true; is_first || pattern[at] != ']'; is_first = false) {
    const Character from = character_at(pattern, at);
    at += from.length;
    Character to = from;
    if (pattern[at] == '-' && pattern[at + 1] != ']') {
      to = character_at(pattern, at + 1);
      at += 1 + to.length;
    }
    found |= from.value <= wanted && wanted <= to.value;
  }
  ++at;
  return found != negated;
}

// In whatever case, where it does not count: [!a] must not let A by, nor [a].
bool bracket_matches(std::string_view pattern, std::size_t& at, std::uint32_t wanted, Case letters) {
  if (wanted >= 0x80 || letters == Case::kCounts) return bracket_holds(pattern, at, wanted);
  const std::size_t start = at;
  const auto letter = static_cast<char>(wanted);
  if (bracket_holds(pattern, at, static_cast<std::uint8_t>(lower(letter)))) return true;
  at = start;
  return bracket_holds(pattern, at, static_cast<std::uint8_t>(upper(letter)));
}

// One element of the pattern against one character of the name; both are moved on when they match.
bool step(std::string_view pattern, std::size_t& p, std::string_view name, std::size_t& n, Case letters) {
  const Character character = character_at(name, n);
  switch (pattern[p]) {
    case '?': ++p; break;
    case '[': {
      std::size_t end = p;
      if (!bracket_matches(pattern, end, character.value, letters)) return false;
      p = end;
      break;
    }
    default:
      if (letters == Case::kCounts ? pattern[p] != name[n] : lower(pattern[p]) != lower(name[n])) return false;
      ++p;
      ++n;
      return true;
  }
  n += character.length;
  return true;
}

// Only the last star ever takes more: what an earlier one has left is matched already.
bool wild_matches(std::string_view pattern, std::string_view name, Case letters) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = pattern.npos;
  std::size_t taken = 0;  // up to here by that star
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
      continue;
    }
    if (p < pattern.size() && step(pattern, p, name, n, letters)) continue;
    if (star == pattern.npos) return false;
    taken += character_at(name, taken).length;
    n = taken;
    p = star + 1;
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

tl::unexpected<Error> invalid(const std::string& text, std::string_view why, std::string hint = {}) {
  return fail(ErrorKind::kInvalidArgument, cat("Invalid pattern ", escape(text), ": ", why), std::move(hint));
}

// Why not, or nothing.
const char* check_brackets(std::string_view text) {
  for (std::size_t at = 0; (at = text.find('[', at)) != text.npos;) {
    ++at;
    if (at < text.size() && (text[at] == '!' || text[at] == '^')) ++at;
    for (bool is_first = true;; is_first = false) {
      if (at >= text.size()) return "a [ is not closed by a ] in the same component";
      if (text[at] == ']' && !is_first) break;
      const std::string_view rest = text.substr(at);
      if (rest.starts_with("[:") || rest.starts_with("[.") || rest.starts_with("[=")) {
        return "classes such as [:alpha:] are not known; write ranges";
      }
      const Character from = character_at(text, at);
      at += from.length;
      if (at + 1 >= text.size() || text[at] != '-' || text[at + 1] == ']') continue;
      const Character to = character_at(text, at + 1);
      if (to.value < from.value) return "a range in [...] ends before it begins";
      at += 1 + to.length;
    }
    ++at;
  }
  return nullptr;
}

}  // namespace

PathNames::PathNames(std::string_view path) : path_(path) {
  if (path.size() <= 1) return;
  ends_.reserve(static_cast<std::size_t>(std::ranges::count(path, '/')));
  for (std::size_t at = 1; at != path.npos;) {
    const std::size_t begin = at;
    at = path.find('/', at);
    ends_.push_back(std::min(at, path.size()));
    marks_ |= mark_of(path.substr(begin, ends_.back() - begin));
    if (at != path.npos) ++at;
  }
}

std::uint64_t mark_of(std::string_view name) {
  if (name.empty()) return 0;
  const std::size_t first = static_cast<unsigned char>(lower(name.front()));
  const std::size_t last = static_cast<unsigned char>(lower(name.back()));
  return std::uint64_t{1} << ((first + 5 * last + 11 * name.size()) % 64);
}

NamePattern::NamePattern(std::string base, std::vector<Component> components, Case letters)
    : base_(std::move(base)), base_names_(PathNames(base_).size()), components_(std::move(components)), letters_(letters) {
  is_ascii_ = nono::is_ascii(base_);
  for (const Component& component : components_) {
    if (component.kind == Component::Kind::kName) marks_ |= mark_of(component.text);
    is_ascii_ = is_ascii_ && nono::is_ascii(component.text);
  }
}

bool NamePattern::Component::matches(std::string_view name, Case letters) const {
  return kind == Kind::kName ? same(text, name, letters) : wild_matches(text, name, letters);
}

Result<NamePattern> NamePattern::parse(const std::string& text, Case letters) {
  if (text.empty()) return invalid(text, "it is empty");
  if (text.size() >= PATH_MAX) return invalid(text.substr(0, 64) + "...", "it is longer than any path");
  if (text.find('\0') != text.npos) return invalid(text, "it contains a NUL byte");
  std::string spelled = text.starts_with('/') ? "/" : ".";
  std::vector<Component> components;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('/', start), text.size());
    Component component{Component::Kind::kName, text.substr(start, end - start)};
    start = end + 1;
    if (component.text.empty() || component.text == ".") continue;
    if (component.text == "..") return invalid(text, "it contains ..", "Write the directory that is meant.");
    if (is_pattern(component.text)) component.kind = Component::Kind::kWild;
    if (component.text == "**") component.kind = Component::Kind::kAnyDepth;
    if (const char* why = check_brackets(component.text); component.kind == Component::Kind::kWild && why != nullptr) {
      return invalid(text, why, "A [ that is meant as such is written [[].");
    }
    if (components.empty() && component.kind == Component::Kind::kName) {
      spelled += cat("/", component.text);
    } else if (component.kind != Component::Kind::kAnyDepth || components.empty() || components.back() != component) {
      components.push_back(std::move(component));
    }
  }
  const bool anywhere = text.starts_with("**");
  if (!components.empty() && components.back().kind == Component::Kind::kAnyDepth) components.pop_back();
  std::string base = anywhere && (text.size() == 2 || text[2] == '/') ? "/" : canonicalize_existing_part(spelled);
  if (!base.starts_with('/')) return invalid(text, "there is no current directory that it could belong to");
  if (components.empty() && base == "/") return invalid(text, "it leaves nothing", "Name what is meant.");
  return NamePattern(std::move(base), std::move(components), letters);
}

std::string NamePattern::to_string() const {
  if (is_literal()) return base_;
  std::string text = base_ == "/" ? "" : base_;
  for (const Component& component : components_) text += cat("/", component.text);
  return text.starts_with("/**/") ? text.substr(1) : text;
}

bool NamePattern::base_matches(const PathNames& place) const {
  return base_names_ == 0 ||
         (place.size() >= base_names_ && same(base_, place.path().substr(0, place.length(base_names_)), letters_));
}

std::optional<Match> NamePattern::match(const PathNames& place, std::size_t beyond) const {
  if ((place.marks() & marks_) != marks_ || place.size() < base_names_ || !base_matches(place)) return std::nullopt;
  std::size_t at = base_names_;
  std::optional<std::size_t> first;
  // One run of components without ** after the other, each as far to the front as it goes: if the rest matches
  // behind a later place of it, it does behind the first one.
  for (std::size_t c = 0; c < components_.size();) {
    const bool floats = components_[c].kind == Component::Kind::kAnyDepth;
    const std::size_t begin = floats ? c + 1 : c;
    std::size_t end = begin;
    while (end < components_.size() && components_[end].kind != Component::Kind::kAnyDepth) ++end;
    const std::size_t count = end - begin;
    const auto fits = [&](std::size_t from) {
      if (end == components_.size() && place.length(from + count) <= beyond) return false;
      for (std::size_t i = 0; i < count; ++i) {
        if (!components_[begin + i].matches(place[from + i], letters_)) return false;
      }
      return true;
    };
    const std::size_t latest = place.size() < count ? 0 : floats ? place.size() - count : at;
    while (at <= latest && at + count <= place.size() && !fits(at)) ++at;
    if (at > latest || at + count > place.size()) return std::nullopt;
    for (std::size_t i = 0; i < count && !first; ++i) {
      if (components_[begin + i].kind == Component::Kind::kName) first = place.length(at + i + 1);
    }
    at += count;
    c = end;
  }
  const std::size_t last = place.length(at);
  if (last <= beyond) return std::nullopt;
  return Match{first.value_or(last), last};
}

bool NamePattern::leads_to(const PathNames& place, bool by_any_depth) const {
  if (place.size() < base_names_ || (place.size() == base_names_ && !is_literal())) {
    return same(place.path(), std::string_view(base_).substr(0, place.path().size()), letters_) &&
           (place.size() == base_names_ || place.size() == 0 || base_[place.path().size()] == '/');
  }
  if (is_literal() || !base_matches(place)) return false;
  const std::size_t names = place.size() - base_names_;
  // reached[n]: the components so far match the first n names below the base.
  std::vector<bool> reached(names + 1, false);
  reached[0] = true;
  for (std::size_t c = 0; c + 1 < components_.size(); ++c) {
    if (components_[c].kind == Component::Kind::kAnyDepth) {
      for (std::size_t n = 1; n <= names; ++n) reached[n] = reached[n] || reached[n - 1];
      if (by_any_depth && reached[names]) return true;
      continue;
    }
    for (std::size_t n = names; n > 0; --n) {
      reached[n] = reached[n - 1] && components_[c].matches(place[base_names_ + n - 1], letters_);
    }
    reached[0] = false;
    if (reached[names]) return true;
  }
  return false;
}

}  // namespace nono::capability
