// What the file tools make of an agent's patterns and texts: PathGlob, edits, and UTF-8.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "files/text_edit.h"
#include "files/literal.h"
#include "files/path_glob.h"
#include "files/utf8.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// Three texts, each but the last up to a 0 byte: a pattern and a path, or an edit of the third.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nono::files;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  if (size > 4096) return 0;
  const auto next = [&] {
    const std::string_view text = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(text.size() + 1, rest.size()));
    return text;
  };
  const std::string_view first = next();
  const std::string_view second = next();

  for (const Depth depth : {Depth::kAny, Depth::kTop}) {
    const auto glob = PathGlob::of(first, depth);
    if (!glob || second.empty() || second.starts_with('/') || second.ends_with('/')) continue;
    if (!glob->matches(second)) continue;
    // Whoever looks for it enters the directories that it is in.
    for (std::size_t at = second.find('/'); at != second.npos; at = second.find('/', at + 1)) require(glob->may_match_below(second.substr(0, at)));
  }

  std::string shown;
  append_utf8(shown, rest);
  require(valid_utf8(shown) == shown.size());
  const bool is_text = valid_utf8(rest) == rest.size();
  require((shown == rest) == is_text);
  require(!is_text || is_cut_utf8(rest));
  const std::string_view cut = first_bytes(shown, second.size());
  require(valid_utf8(cut) == cut.size() && shown.starts_with(cut));

  const std::size_t found = Literal(second).find(rest);
  require(found == rest.npos || second.find('\n') != second.npos || rest.substr(found).starts_with(second));
  require(count_lines(rest) <= rest.size());

  if (first.empty()) return 0;
  constexpr std::size_t kMost = 65536;
  const auto edited = edit_text(rest, first, second, Occurrences::kAll, kMost);
  require(is_text || !edited);
  if (edited) require(edited->occurrences > 0 && edited->content.size() <= kMost);
  const auto once = edit_text(rest, first, second, Occurrences::kOne, kMost);
  if (once) require(edited && once->content == edited->content && once->occurrences == 1);
  return 0;
}
