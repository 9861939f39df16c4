#include "capability/path_resolution.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace nono::capability {
namespace {

constexpr int kMaximumLinks = 40;  // the kernel's own limit

// realpath(3), or nothing with errno set.
std::optional<std::string> real_path(const std::string& path) {
  struct Free {
    void operator()(char* p) const { ::free(p); }
  };
  const std::unique_ptr<char, Free> resolved(::realpath(path.c_str(), nullptr));
  if (!resolved) return std::nullopt;
  return std::string(resolved.get());
}

std::optional<std::string> read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length <= 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(length));
}

std::string_view next_component(std::string_view& rest) {
  while (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
  const std::string_view component = rest.substr(0, rest.find('/'));
  rest.remove_prefix(component.size());
  return component;
}

bool has_dot_dot(std::string_view path) {
  while (true) {
    const std::string_view component = next_component(path);
    if (component.empty()) return false;
    if (component == "..") return true;
  }
}

std::string append(const std::string& directory, std::string_view name) {
  if (name.empty()) return directory;
  return directory == "/" ? cat("/", name) : cat(directory, "/", name);
}

struct Split {
  std::string existing;  // canonical
  std::string rest;      // not there, without a leading slash
};

Split split_at_existing(const std::string& path) {
  std::string prefix = path;
  while (!prefix.empty()) {
    // Longer than PATH_MAX cannot exist, and asking for each such prefix would be quadratic.
    if (prefix.size() < PATH_MAX) {
      if (auto existing = real_path(prefix)) {
        std::string_view rest = std::string_view(path).substr(prefix.size());
        while (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
        return {*std::move(existing), std::string(rest)};
      }
    }
    prefix.resize(prefix.rfind('/'));
  }
  return {"/", path.substr(1)};
}

}  // namespace

Error resolution_error(const std::string& path, int error_number) {
  switch (error_number) {
    case ENOENT:
      return {ErrorKind::kPathNotFound, cat("Path does not exist: ", path), {}};
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      // Not a property of the path: must not pass for one where missing paths are skipped.
      return {ErrorKind::kIo, cat("I/O error: cannot hold ", path, ": ", os_error(error_number)),
              "Every grant keeps one descriptor open; raise the limit (ulimit -n) or grant fewer paths."};
    default:
      return {ErrorKind::kPathResolution,
              cat("Failed to canonicalize path ", path, ": ", os_error(error_number)), {}};
  }
}

Result<std::string> canonicalize(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    return fail(ErrorKind::kPathResolution,
                cat("Failed to canonicalize path ", escape(path),
                    ": file name contained an unexpected NUL byte"));
  }
  auto resolved = real_path(path);
  if (!resolved) return tl::unexpected<Error>(resolution_error(path, errno));
  return *std::move(resolved);
}

std::vector<Link> links_on_the_way(const std::string& path) {
  std::string wanted = path;
  if (!wanted.starts_with('/')) {
    const auto here = real_path(".");
    if (!here) return {};
    wanted = append(*here, wanted);
  }
  std::vector<Link> links;
  std::string at = "/";  // canonical
  std::string_view rest = wanted;
  for (std::string_view name = next_component(rest); !name.empty(); name = next_component(rest)) {
    if (name == ".") continue;
    if (name == "..") {
      at.resize(std::max<std::size_t>(at.rfind('/'), 1));
      continue;
    }
    std::string next = append(at, name);
    auto target = read_link(next);
    if (!target) {
      at = std::move(next);
      continue;
    }
    if (links.size() == kMaximumLinks) return {};
    if (target->starts_with('/')) at.resize(1);
    wanted = cat(*target, rest);
    rest = wanted;
    links.push_back({std::move(next), *std::move(target)});
  }
  return links;
}

std::string canonicalize_existing_part(const std::string& path) {
  std::string wanted = path;
  if (!wanted.starts_with('/')) {
    const auto here = real_path(".");
    if (!here) return path;
    wanted = append(*here, wanted);
  }
  if (wanted.find('\0') != std::string::npos) return fold(wanted);
  for (int links = 0; links < kMaximumLinks; ++links) {
    const Split split = split_at_existing(wanted);
    if (split.rest.empty()) return split.existing;
    const std::size_t first_end = split.rest.find('/');
    const std::string first = append(split.existing, std::string_view(split.rest).substr(0, first_end));
    if (const auto target = read_link(first)) {
      const std::string start = target->starts_with('/') ? *target : append(split.existing, *target);
      wanted = first_end == std::string::npos ? start : cat(start, split.rest.substr(first_end));
    } else if (has_dot_dot(split.rest)) {
      // Nothing there yet to climb out of: fold, and look again at what that names.
      wanted = fold(append(split.existing, split.rest));
    } else {
      return fold(append(split.existing, split.rest));
    }
  }
  return fold(wanted);
}

std::string fold(std::string_view path) {
  std::string out;
  while (true) {
    const std::string_view component = next_component(path);
    if (component.empty()) break;
    if (component == ".") continue;
    if (component == "..") {
      if (!out.empty()) out.resize(out.rfind('/'));
      continue;
    }
    out.append("/").append(component);
  }
  return out.empty() ? "/" : out;
}

bool is_within_folded(std::string_view ancestor, std::string_view path) {
  if (ancestor == "/") return true;
  return path.starts_with(ancestor) && (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

bool is_within_any_case(std::string_view ancestor, std::string_view path) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  if (ancestor == "/") return true;
  return path.size() >= ancestor.size() &&
         std::equal(ancestor.begin(), ancestor.end(), path.begin(), [&](char a, char b) { return lower(a) == lower(b); }) &&
         (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

std::string parent_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)); }

bool is_within(const std::string& ancestor, const std::string& path) {
  if (!ancestor.starts_with('/') || !path.starts_with('/')) return false;
  return is_within_folded(fold(ancestor), fold(path));
}

}  // namespace nono::capability
