// Reads JSON into the structs of a document by tables: one Schema<T> per object level.
//
// A level is a list of fields; every other key is an error that names it, the keys that would
// have been right, and the place. A key next to its alias counts as given twice. std::optional
// members accept null, all others do not. Input: a tree from parse_strict_json, so a stranger's
// text in a known shape; the depth of the recursion is the schema's, not the document's. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/document_error.h"
#include "policy/strict_json.h"

namespace nono::policy {

enum class Presence { kOptional, kRequired };

template <class T>
struct Field {
  std::string_view name;
  Status (*read)(const JsonValue&, const DocumentPath&, T&);
  Presence presence = Presence::kOptional;
  std::array<std::string_view, 2> aliases{};

  [[nodiscard]] constexpr bool answers_to(std::string_view key) const {
    return key == name || (!key.empty() && (key == aliases[0] || key == aliases[1]));
  }
};

// Specialized for each struct, with a constexpr array `fields`.
template <class T>
struct Schema {};

template <class T>
concept HasSchema = requires { Schema<T>::fields; };

[[nodiscard]] tl::unexpected<Error> wrong_type(const JsonValue& found, std::string_view wanted,
                                               const DocumentPath& at);
[[nodiscard]] tl::unexpected<Error> unknown_field(std::string_view key,
                                                  std::span<const std::string_view> expected,
                                                  const DocumentPath& at);
[[nodiscard]] tl::unexpected<Error> duplicate_field(std::string_view name, const DocumentPath& at);
[[nodiscard]] tl::unexpected<Error> missing_field(std::string_view name, const DocumentPath& at);

[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at, bool& into);
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at, std::uint32_t& into);
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at, std::uint64_t& into);
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at, std::string& into);
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at, JsonValue& into);

template <HasSchema T>
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at, T& into);
template <class T>
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at, std::optional<T>& into);
template <class T>
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at, std::vector<T>& into);
template <class T>
[[nodiscard]] Status read_value(const JsonValue& from, const DocumentPath& at,
                                std::map<std::string, T, std::less<>>& into);

template <class T, class M, M T::*Member>
[[nodiscard]] Status read_member(const JsonValue& from, const DocumentPath& at, T& into) {
  return read_value(from, at, into.*Member);
}

// field<&Group::platform>("platform"): the key's table entry.
template <auto Member>
struct MemberTraits;
template <class T, class M, M T::*Member>
struct MemberTraits<Member> {
  static constexpr Field<T> entry(std::string_view name, Presence presence,
                                  std::array<std::string_view, 2> aliases) {
    return {name, &read_member<T, M, Member>, presence, aliases};
  }
};
template <auto Member>
constexpr auto field(std::string_view name, Presence presence = Presence::kOptional) {
  return MemberTraits<Member>::entry(name, presence, {});
}
template <auto Member>
constexpr auto field(std::string_view name, std::array<std::string_view, 2> aliases) {
  return MemberTraits<Member>::entry(name, Presence::kOptional, aliases);
}

template <HasSchema T>
Status read_value(const JsonValue& from, const DocumentPath& at, T& into) {
  constexpr auto& kFields = Schema<T>::fields;
  const auto* object = from.as<JsonValue::Object>();
  if (object == nullptr) return wrong_type(from, "an object", at);
  std::array<bool, kFields.size()> given{};
  for (const JsonMember& member : *object) {
    std::size_t i = 0;
    while (i < kFields.size() && !kFields[i].answers_to(member.name)) ++i;
    if (i == kFields.size()) {
      std::vector<std::string_view> expected;
      for (const auto& known : kFields) expected.push_back(known.name);
      return unknown_field(member.name, expected, at);
    }
    if (std::exchange(given[i], true)) return duplicate_field(kFields[i].name, at);
    const Status read = kFields[i].read(member.value, at.key(member.name), into);
    if (!read) return read;
  }
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (kFields[i].presence == Presence::kRequired && !given[i]) {
      return missing_field(kFields[i].name, at);
    }
  }
  return {};
}

template <class T>
Status read_value(const JsonValue& from, const DocumentPath& at, std::optional<T>& into) {
  if (from.is_null()) return {};
  return read_value(from, at, into.emplace());
}

template <class T>
Status read_value(const JsonValue& from, const DocumentPath& at, std::vector<T>& into) {
  const auto* array = from.as<JsonValue::Array>();
  if (array == nullptr) return wrong_type(from, "an array", at);
  into.reserve(array->size());
  for (const JsonValue& element : *array) {
    const DocumentPath place = at.index(into.size());
    const Status read = read_value(element, place, into.emplace_back());
    if (!read) return read;
  }
  return {};
}

template <class T>
Status read_value(const JsonValue& from, const DocumentPath& at,
                  std::map<std::string, T, std::less<>>& into) {
  const auto* object = from.as<JsonValue::Object>();
  if (object == nullptr) return wrong_type(from, "an object", at);
  for (const JsonMember& member : *object) {
    const Status read = read_value(member.value, at.key(member.name), into[member.name]);
    if (!read) return read;
  }
  return {};
}

}  // namespace nono::policy
