// Paths as text: what a path means on this host now, and what lies below what.
//
// The canonical form is true only for the moment it was made; enforcement never relies on it (see
// FsCapability). Anyone who can write to a directory on the way can change it afterwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/result.h"

namespace nono::capability {

// Canonicalizes `path` as grants are. Errors: kPathNotFound, kPathResolution, with the path as it
// was given. Also used for policy and query paths.
[[nodiscard]] Result<std::string> canonicalize(const std::string& path);

// A symbolic link: where it is, and what it says.
struct Link {
  std::string path;  // in a canonical directory
  std::string target;
  bool operator==(const Link&) const = default;
};
// The links that the kernel follows on its way to `path`, in that order; none where they cannot be followed.
[[nodiscard]] std::vector<Link> links_on_the_way(const std::string& path);

// Where `path` would be if it were created now: the longest existing ancestor canonicalized, the
// rest re-appended. Dangling links are followed as the kernel follows them. For a path that no
// kernel call accepts (embedded NUL, a link loop): the path itself, folded lexically.
[[nodiscard]] std::string canonicalize_existing_part(const std::string& path);

// `path`, absolute, as text: "/a//b/./../c/" -> "/a/c".
[[nodiscard]] std::string fold(std::string_view path);

// The directory that holds `path`, which is absolute and folded: of "/" itself.
[[nodiscard]] std::string parent_of(const std::string& path);

// True when `ancestor` is `path` or a whole-component prefix of it, once "." and ".." are folded.
// False unless both are absolute.
[[nodiscard]] bool is_within(const std::string& ancestor, const std::string& path);

// The same for paths that are folded already, as canonical ones are; for inner loops.
[[nodiscard]] bool is_within_folded(std::string_view ancestor, std::string_view path);

// The same whatever the case of ASCII letters.
[[nodiscard]] bool is_within_any_case(std::string_view ancestor, std::string_view path);

// The error of a failed resolution of `path`, with upstream's texts.
[[nodiscard]] Error resolution_error(const std::string& path, int error_number);

}  // namespace nono::capability
