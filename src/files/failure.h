// Failure: why a file tool did not do what it was asked for, as a word that callers can switch on. Value.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace nono::files {

// One of these, or the system's own words for anything else ("no space left on device").
namespace code {
inline constexpr const char* kFileNotFound = "file_not_found";
inline constexpr const char* kPermissionDenied = "permission_denied";
inline constexpr const char* kIsDirectory = "is_directory";
inline constexpr const char* kNotADirectory = "not_a_directory";
inline constexpr const char* kNotAFile = "not_a_file";  // a FIFO, a socket, a device
inline constexpr const char* kInvalidPath = "invalid_path";
inline constexpr const char* kAlreadyExists = "already_exists";
inline constexpr const char* kNotText = "not_a_text_file";
inline constexpr const char* kStringNotFound = "string_not_found";
inline constexpr const char* kSeveralOccurrences = "multiple_occurrences";
inline constexpr const char* kTooLarge = "too_large";
inline constexpr const char* kInvalidPattern = "invalid_pattern";
inline constexpr const char* kPatternTooBroad = "pattern_too_broad";
}  // namespace code

struct Failure {
  std::string code;
  bool operator==(const Failure&) const = default;
};

// What an errno means to the user of a path.
[[nodiscard]] Failure failure_of(int error);

template <class T>
class [[nodiscard]] Expected : public tl::expected<T, Failure> {
 public:
  using tl::expected<T, Failure>::expected;
};

[[nodiscard]] inline tl::unexpected<Failure> refuse(std::string code) { return tl::unexpected<Failure>(Failure{std::move(code)}); }
[[nodiscard]] inline tl::unexpected<Failure> refuse(int error) { return tl::unexpected<Failure>(failure_of(error)); }

}  // namespace nono::files
