// JSON text to a small tree, refusing whatever two readers could understand differently.
//
// parse_strict_json: bytes from a file that a stranger may have written. Refused: anything that
// is not one JSON value, invalid UTF-8, a NUL byte (raw or \u0000), an object with the same key
// twice, more than kMaxDocumentBytes, kMaxNesting levels or kMaxValues values. So neither stack
// nor memory is the file's to exhaust, and no later layer has to think about embedded NULs.
// The error is kInvalidJson and its message only the escaped reason and place: the caller knows
// what document it was and says so. Members keep the order of the text. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace nono::policy {

inline constexpr std::size_t kMaxDocumentBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxNesting = 64;
inline constexpr std::size_t kMaxValues = 200'000;

struct JsonMember;

struct JsonValue {
  using Array = std::vector<JsonValue>;
  using Object = std::vector<JsonMember>;

  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>
      data;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data);
  }
  [[nodiscard]] bool is_null() const { return as<std::nullptr_t>() != nullptr; }
  // The member of that name; null if this is no object or has none.
  [[nodiscard]] const JsonValue* find(std::string_view name) const;
  // "a string", "an object", ...: for messages.
  [[nodiscard]] std::string_view kind() const;

  friend bool operator==(const JsonValue& a, const JsonValue& b);
};

struct JsonMember {
  std::string name;
  JsonValue value;

  friend bool operator==(const JsonMember& a, const JsonMember& b);
};

[[nodiscard]] Result<JsonValue> parse_strict_json(std::string_view text);

}  // namespace nono::policy
