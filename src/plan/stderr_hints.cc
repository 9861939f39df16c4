#include "plan/stderr_hints.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"

namespace nono::plan {
namespace {

using capability::AccessMode;
using Words = std::span<const std::string_view>;

constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxQuotedLine = 500;

constexpr std::array<std::string_view, 1> kMissing{"no such file or directory"};
constexpr std::array<std::string_view, 3> kRefused{"operation not permitted", "permission denied",
                                                   "read-only file system"};
constexpr std::array<std::string_view, 6> kApplication{"eexist",           "already exists",
                                                       "version must be at least", "requires version",
                                                       "minimum version",  "upgrade your"};
constexpr std::array<std::string_view, 3> kNetwork{"network", "socket", "connect"};
constexpr std::array<std::string_view, 4> kNetworkRefused{"not permitted", "permission denied",
                                                          "connection refused", "unreachable"};
constexpr std::array<std::string_view, 2> kWriting{"cannot create", "write error"};
constexpr std::array<std::string_view, 12> kWriters{"touch:", "mkdir:", "tee:",   "cp:",
                                                    "mv:",    "rm:",    "ln:",    "chmod:",
                                                    "chown:", "truncate:", "mktemp:", "install:"};
constexpr std::array<std::string_view, 10> kReaders{"cat:",  "ls:",   "grep:", "sed:",  "awk:",
                                                    "head:", "tail:", "less:", "more:", "find:"};
constexpr std::array<std::string_view, 8> kStartUpFiles{
    "/.bashrc", "/.bash_profile", "/.bash_login", "/.profile", "/.zshrc", "/.zshenv", "/etc/profile",
    "/etc/bash.bashrc"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool contains_any(std::string_view text, Words words) {
  return std::ranges::any_of(words, [&](auto word) { return text.find(word) != std::string_view::npos; });
}

bool starts_with_any(std::string_view text, Words words) {
  return std::ranges::any_of(words, [&](auto word) { return text.starts_with(word); });
}

bool is_clean(std::string_view path) {
  return !path.empty() && path.size() <= kMaxPath && escape(path) == path;
}

// The text between the first pair of quotes from `at` on; moves `at` behind it.
std::optional<std::string_view> next_quoted(std::string_view line, std::size_t& at) {
  struct Quotes {
    std::string_view open, close;
  };
  static constexpr std::array<Quotes, 4> kQuotes{
      {{"\xe2\x80\x98", "\xe2\x80\x99"}, {"`", "'"}, {"'", "'"}, {"\"", "\""}}};
  const Quotes* best = nullptr;
  std::size_t open = std::string_view::npos;
  for (const Quotes& quotes : kQuotes) {
    const std::size_t found = line.find(quotes.open, at);
    if (found < open) {
      open = found;
      best = &quotes;
    }
  }
  if (best == nullptr) return std::nullopt;
  const std::size_t start = open + best->open.size();
  const std::size_t end = line.find(best->close, start);
  if (end == std::string_view::npos) return std::nullopt;
  at = end + best->close.size();
  return line.substr(start, end - start);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// "tool: cannot x: /path: Permission denied": the parts between ": ".
std::vector<std::string_view> parts_of(std::string_view line) {
  std::vector<std::string_view> parts;
  while (parts.size() < 16) {
    const std::size_t colon = line.find(": ");
    parts.push_back(trim(line.substr(0, colon)));
    if (colon == std::string_view::npos) break;
    line.remove_prefix(colon + 2);
  }
  return parts;
}

std::optional<std::string_view> unquoted_path(std::string_view line, Words complaint) {
  const std::vector<std::string_view> parts = parts_of(line);
  for (const std::string_view part : parts) {
    const std::size_t slash = part.starts_with('/') ? 0 : part.find(" /");
    if (slash == std::string_view::npos) continue;
    return trim(part.substr(slash));
  }
  // "cat: notes.txt: Permission denied"
  for (std::size_t i = 2; i < parts.size(); ++i) {
    const std::string_view name = parts[i - 1];
    if (starts_with_any(lower(parts[i]), complaint) && name.find(' ') == std::string_view::npos) return name;
  }
  return std::nullopt;
}

// The path a line complains about: quoted and absolute, else unquoted, else quoted and relative.
std::optional<std::string> path_in(std::string_view line, Words complaint) {
  std::optional<std::string_view> relative;
  for (std::size_t at = 0; const auto quoted = next_quoted(line, at);) {
    if (quoted->starts_with('/') && is_clean(*quoted)) return std::string(*quoted);
    if (!relative && is_clean(*quoted)) relative = quoted;
  }
  if (relative) return std::string(*relative);
  const auto found = unquoted_path(line, complaint);
  if (!found || !is_clean(*found)) return std::nullopt;
  return std::string(*found);
}

AccessMode access_in(std::string_view low, std::string_view path) {
  if (contains_any(low, kWriting) || starts_with_any(low, kWriters)) return AccessMode::kWrite;
  const bool start_up = std::ranges::any_of(kStartUpFiles, [&](auto end) { return path.ends_with(end); });
  if (low.find("cannot open") != std::string_view::npos || starts_with_any(low, kReaders) || start_up) {
    return AccessMode::kRead;
  }
  return AccessMode::kReadWrite;
}

}  // namespace

StderrHints read_stderr(std::string_view text) {
  StderrHints hints;
  text = text.substr(0, kMaxHintText);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string low = lower(line);

    if (contains_any(low, kNetwork) && contains_any(low, kNetworkRefused)) hints.network = true;
    if (!hints.application && contains_any(low, kApplication)) {
      hints.application = escape(trim(line).substr(0, kMaxQuotedLine));
    }
    if (hints.missing.size() + hints.refused.size() >= kMaxHintPaths) continue;
    if (contains_any(low, kMissing)) {
      if (auto path = path_in(line, kMissing)) hints.missing.push_back({*std::move(path), AccessMode::kRead});
    } else if (contains_any(low, kRefused)) {
      if (auto path = path_in(line, kRefused)) {
        const AccessMode access = access_in(low, *path);
        hints.refused.push_back({*std::move(path), access});
      }
    }
  }
  return hints;
}

}  // namespace nono::plan
