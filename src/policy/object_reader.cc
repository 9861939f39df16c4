#include "policy/object_reader.h"

#include <limits>

#include "base/text.h"

namespace nono::policy {

tl::unexpected<Error> wrong_type(const JsonValue& found, std::string_view wanted,
                                 const DocumentPath& at) {
  return malformed(cat("invalid type: ", found.kind(), ", expected ", wanted, at_place(at.text())));
}

tl::unexpected<Error> unknown_field(std::string_view key, std::span<const std::string_view> expected,
                                    const DocumentPath& at) {
  return malformed(cat("unknown field `", printable(key), "`, expected one of `",
                       join(expected, "`, `"), "`", at_place(at.text())));
}

tl::unexpected<Error> duplicate_field(std::string_view name, const DocumentPath& at) {
  return malformed(cat("duplicate field `", name, "`", at_place(at.text())));
}

tl::unexpected<Error> missing_field(std::string_view name, const DocumentPath& at) {
  return malformed(cat("missing field `", name, "`", at_place(at.text())));
}

Status read_value(const JsonValue& from, const DocumentPath& at, bool& into) {
  const auto* value = from.as<bool>();
  if (value == nullptr) return wrong_type(from, "a boolean", at);
  into = *value;
  return {};
}

Status read_value(const JsonValue& from, const DocumentPath& at, std::uint64_t& into) {
  const auto* value = from.as<std::uint64_t>();
  if (value == nullptr) return wrong_type(from, "a non-negative integer", at);
  into = *value;
  return {};
}

Status read_value(const JsonValue& from, const DocumentPath& at, std::uint32_t& into) {
  const auto* value = from.as<std::uint64_t>();
  if (value == nullptr || *value > std::numeric_limits<std::uint32_t>::max()) {
    return wrong_type(from, "an integer from 0 to 4294967295", at);
  }
  into = static_cast<std::uint32_t>(*value);
  return {};
}

Status read_value(const JsonValue& from, const DocumentPath& at, std::string& into) {
  const auto* value = from.as<std::string>();
  if (value == nullptr) return wrong_type(from, "a string", at);
  into = *value;
  return {};
}

Status read_value(const JsonValue& from, const DocumentPath&, JsonValue& into) {
  into = from;
  return {};
}

}  // namespace nono::policy
