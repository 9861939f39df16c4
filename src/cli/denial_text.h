// Finding what a failed command's stderr says it was refused. Pure.
//
// The text is the command's own: an attacker writes what he likes, of any length. Hence bounds on
// everything, and nothing found here is believed; explain_denial.h asks the plan about it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nono::cli {

// A refusal somewhere in the text: what may have been refused, best guess first.
struct Mention {
  struct Path {
    std::string text;    // as it stands there; relative ones belong to the working directory
    bool certain = false;  // quoted, or alone beside the refusal
  };
  std::vector<Path> paths;
  bool writing = false;  // the words speak of creating, writing, removing
  bool network = false;  // ... of sockets, or of a host's name that could not be looked up
  bool unconnected = false;  // ... of a connection that failed, for whatever reason
};

// The latest refusal first: it is the likeliest reason for how the command ended.
[[nodiscard]] std::vector<Mention> find_mentions(std::string_view text);

}  // namespace nono::cli
