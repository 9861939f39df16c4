#include "cli/explain_denial.h"

#include <algorithm>

#include "base/text.h"
#include "cli/denial_text.h"

namespace nono::cli {
namespace {

using capability::AccessMode;

constexpr std::size_t kMaxShown = 512;

std::string shown(const std::string& path) {
  if (path.size() <= kMaxShown) return escape(path);
  return cat(escape(path.substr(0, kMaxShown)), "...");
}

bool user_may(const PathFacts& facts, AccessMode mode) {
  return mode == AccessMode::kRead ? facts.user_may_read : facts.user_may_write;
}

// Why `mode` is refused, when the plan refuses it.
std::string refusal(const PathFacts& facts, AccessMode mode) {
  const plan::PathAnswer& answer = mode == AccessMode::kRead ? facts.read : facts.write;
  if (answer.reason == plan::PathAnswer::Reason::kDeniedPath) {
    return answer.protected_by.empty() ? cat("denied (--deny ", shown(answer.denied_path), ")")
                                       : cat("protected (", answer.protected_by, ")");
  }
  const bool insufficient = answer.reason == plan::PathAnswer::Reason::kInsufficientAccess;
  std::string why = insufficient ? cat("only ", answer.access, " is granted") : "not granted";
  if (facts.exists && !user_may(facts, mode)) why += ", nor do its file permissions allow it to you";
  return why;
}

// What would open it; no grant around it beats a denial.
std::string remedy(const PathFacts& facts, AccessMode mode) {
  const plan::PathAnswer& answer = mode == AccessMode::kRead ? facts.read : facts.write;
  if (answer.reason != plan::PathAnswer::Reason::kDeniedPath) return flag_for(facts, mode);
  return answer.protected_by.empty() ? "" : cat("--unprotect ", answer.protected_by);
}

std::string in_brackets(const std::string& flag) { return flag.empty() ? "" : cat(" (add ", flag, ")"); }

std::string refused(const PathFacts& facts, AccessMode mode) {
  return cat("nono: ", shown(facts.canonical), " was not ", mode == AccessMode::kRead ? "readable" : "writable",
             " here: ", refusal(facts, mode), in_brackets(remedy(facts, mode)));
}

// No flag: whoever wrote the text may want this very socket, and `nono why` says what a grant of it comes to.
std::optional<std::string> explain_socket(const PathFacts& facts) {
  if (facts.socket_granted || facts.write.allowed()) return std::nullopt;  // perhaps one that was made inside
  const auto word = shell_word(facts.canonical);
  return cat("nono: ", shown(facts.canonical), " is a Unix socket outside, and not granted here",
             word ? cat(" (see nono why --unix-socket ", *word, ")") : "");
}

std::optional<std::string> explain_path_mention(const PathFacts& facts, bool writing, bool certain) {
  if (facts.canonical.size() > 2 * kMaxShown) return std::nullopt;
  if (facts.is_socket && facts.read.reason != plan::PathAnswer::Reason::kDeniedPath) return explain_socket(facts);
  if (writing) {
    if (facts.write.allowed()) return std::nullopt;
    return refused(facts, AccessMode::kWrite);
  }
  if (!facts.read.allowed()) return refused(facts, AccessMode::kRead);
  // Readable, so it was something else. Writing? Only where the permissions would have let it.
  if (facts.write.allowed() || !certain || !facts.exists || facts.is_directory || facts.is_system ||
      !facts.user_may_read || !facts.user_may_write) {
    return std::nullopt;
  }
  if (facts.write.reason == plan::PathAnswer::Reason::kDeniedPath) return refused(facts, AccessMode::kWrite);
  const std::string flag = flag_for(facts, AccessMode::kWrite);
  return cat("nono: ", shown(facts.canonical), " is granted for reading only here",
             flag.empty() ? "" : cat(" (to write it, add ", flag, ")"));
}

std::optional<std::string> explain_network(const NetworkFacts& network) {
  switch (network.sockets) {
    case plan::Sockets::kNone: return "nono: the network is blocked here (--block-net)";
    case plan::Sockets::kTcp: {
      std::string ports;
      for (const auto port : network.connect_ports) ports += cat(ports.empty() ? "" : ", ", port);
      return cat("nono: the network is limited here to ",
                 ports.empty() ? "TCP servers (--allow-bind)" : cat("TCP port ", ports, " (--allow-connect)"),
                 "; there is no UDP, so names are not resolved");
    }
    case plan::Sockets::kInternet: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> shell_word(const std::string& path) {
  if (path.size() > kMaxShown || escape(path) != path || path.find('\'') != path.npos) return std::nullopt;
  const bool plain = std::ranges::all_of(path, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+@%,:=").find(c) != std::string_view::npos;
  });
  return plain ? path : cat("'", path, "'");
}

std::string flag_for(const PathFacts& facts, AccessMode missing) {
  if (facts.is_protected || !facts.exists || !user_may(facts, missing)) return {};
  if (facts.is_system && writes(missing)) return {};
  const auto word = shell_word(facts.canonical);
  if (!word) return {};
  return cat("--", to_string(missing), facts.is_directory ? " " : "-file ", *word);
}

std::optional<std::string> explain_denial(std::string_view stderr_text, const NetworkFacts& network,
                                          const LookUp& look_up) {
  for (const Mention& mention : find_mentions(stderr_text)) {
    for (const auto& path : mention.paths) {
      const PathFacts facts = look_up(path.text);
      // A word that is no path looks like a relative one: believe it only where it names something.
      if (!path.text.starts_with('/') && !facts.exists && !(mention.writing && path.certain)) continue;
      if (auto line = explain_path_mention(facts, mention.writing, path.certain)) return line;
    }
    const bool no_sockets = network.sockets == plan::Sockets::kNone;
    if (!mention.network && !(mention.unconnected && no_sockets)) continue;
    if (auto line = explain_network(network)) return line;
  }
  return std::nullopt;
}

std::optional<std::string> explain_not_started(const PathFacts& file, const std::string& needed_by) {
  if (file.read.allowed()) return std::nullopt;
  const std::string what = needed_by.empty() ? "" : cat(", which ", shown(needed_by), " needs to start,");
  return cat("nono: ", shown(file.canonical), what, " cannot be executed here: ",
             refusal(file, AccessMode::kRead), in_brackets(remedy(file, AccessMode::kRead)));
}

}  // namespace nono::cli
