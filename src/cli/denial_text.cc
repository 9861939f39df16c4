#include "cli/denial_text.h"

#include <algorithm>
#include <array>
#include <optional>

namespace nono::cli {
namespace {

constexpr std::size_t kMaxMentions = 16;
constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kMaxPath = 1024;
constexpr std::size_t kMaxPaths = 8;

constexpr std::array<std::string_view, 3> kRefusals = {"permission denied", "operation not permitted",
                                                       "read-only file system"};
constexpr std::array<std::string_view, 14> kWriting = {
    "read-only", "create", "creat ", "touch", "write", "writing", "mkdir", "remove",
    "unlink", "rename", "move ", "append", "truncate", "overwrit"};
constexpr std::array<std::string_view, 7> kNetwork = {"socket", "connect", "network", "bind",
                                                      "listen", "sendto", "resolve"};
// What programs say when a name cannot be looked up; the refused socket is never mentioned then.
constexpr std::array<std::string_view, 6> kNoNetwork = {
    "could not resolve", "couldn't resolve", "temporary failure in name resolution",
    "temporary failure resolving", "name or service not known", "unable to resolve host"};
// Says as much when there are no sockets at all, nothing otherwise.
constexpr std::array<std::string_view, 3> kUnconnected = {"failed to connect", "couldn't connect",
                                                          "network is unreachable"};
// What changes an owner or a mode says so, and takes the right to write.
constexpr std::array<std::string_view, 3> kOwnership = {"ownership", "permissions of", "preserving"};

template <class Words>
bool has_any(std::string_view text, const Words& words) {
  return std::ranges::any_of(words, [&](auto word) { return text.find(word) != text.npos; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

class PathFinder {
 public:
  PathFinder(std::string_view line, std::size_t refusal) : line_(line), refusal_(refusal) {}

  std::vector<Mention::Path> find() {
    quoted();
    beside_refusal();
    absolute_words();
    return std::move(paths_);
  }

 private:
  void add(std::string_view text, bool certain) {
    if (text.empty() || text.size() > kMaxPath || paths_.size() >= kMaxPaths) return;
    if (text.find('\0') != text.npos) return;
    if (std::ranges::any_of(paths_, [&](const auto& path) { return path.text == text; })) return;
    paths_.push_back({std::string(text), certain});
  }

  // 'x', "x", `x`, `x' and the typographic pair, opened where a word may begin.
  void quoted() {
    struct Pair {
      std::string_view open, close;
    };
    static constexpr std::array<Pair, 5> kPairs{{{"'", "'"}, {"\"", "\""}, {"`", "`"}, {"`", "'"},
                                                 {"\xe2\x80\x98", "\xe2\x80\x99"}}};
    for (std::size_t i = 0; i < line_.size(); ++i) {
      if (i > 0 && std::string_view(" \t([=:,").find(line_[i - 1]) == std::string_view::npos) continue;
      for (const auto& [open, close] : kPairs) {
        if (!line_.substr(i).starts_with(open)) continue;
        const std::size_t start = i + open.size();
        const std::size_t end = line_.find(close, start);
        if (end == line_.npos) continue;
        add(line_.substr(start, end - start), true);
        i = end + close.size() - 1;
        break;
      }
    }
  }

  // "cat: /etc/shadow: Permission denied", "sh: 1: cannot create out.txt: Permission denied".
  void beside_refusal() {
    std::string_view before = line_.substr(0, refusal_);
    if (!before.ends_with(": ")) return;
    before.remove_suffix(2);
    const std::size_t colon = before.rfind(": ");
    const std::string_view part = trimmed(colon == before.npos ? before : before.substr(colon + 2));
    const std::size_t blank = part.rfind(' ');
    add(part, part.starts_with('/') || blank == part.npos);
    if (blank != part.npos) add(part.substr(blank + 1), true);
  }

  void absolute_words() {
    for (std::size_t i = 0; i < line_.size(); ++i) {
      if (line_[i] != '/') continue;
      if (i > 0 && std::string_view(" \t([=<").find(line_[i - 1]) == std::string_view::npos) continue;
      std::size_t end = std::min(line_.find_first_of(" \t)]>,;", i), line_.size());
      std::string_view word = line_.substr(i, end - i);
      while (word.size() > 1 && (word.back() == ':' || word.back() == '.')) word.remove_suffix(1);
      add(word, false);
      i = end;
    }
  }

  std::string_view line_;
  std::size_t refusal_;
  std::vector<Mention::Path> paths_;
};

std::string_view last_line(std::string_view text) {
  const std::size_t before = text.find_last_of("\n\r");
  const std::string_view line = before == text.npos ? text : text.substr(before + 1);
  return line.substr(line.size() > kMaxLine ? line.size() - kMaxLine : 0);
}

std::optional<Mention> read_line(std::string_view line) {
  const std::string folded = lower(line);
  Mention mention;
  if (has_any(folded, kNoNetwork)) {
    mention.network = true;
    return mention;
  }
  mention.unconnected = has_any(folded, kUnconnected);
  std::size_t refusal = folded.npos;
  for (const auto words : kRefusals) refusal = std::min(refusal, folded.find(words));
  if (refusal == folded.npos) return mention.unconnected ? std::optional(mention) : std::nullopt;
  mention.network = has_any(folded, kNetwork);
  mention.writing = has_any(folded, kWriting) || has_any(folded, kOwnership);
  mention.paths = PathFinder(line, refusal).find();
  return mention;
}

}  // namespace

std::vector<Mention> find_mentions(std::string_view text) {
  std::vector<Mention> mentions;
  while (!text.empty() && mentions.size() < kMaxMentions) {
    const std::string_view line = last_line(text);
    const std::size_t before = text.find_last_of("\n\r");
    text = text.substr(0, before == text.npos ? 0 : before);
    auto mention = read_line(line);
    if (!mention) continue;
    // A traceback names the refused call one line above its error.
    if (mention->paths.empty()) mention->network |= has_any(lower(last_line(text)), kNetwork);
    mentions.push_back(*std::move(mention));
  }
  return mentions;
}

}  // namespace nono::cli
