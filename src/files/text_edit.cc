#include "files/text_edit.h"

#include "files/utf8.h"

namespace nono::files {
namespace {

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t next = 0; (next = text.find(from, at)) != std::string_view::npos; at = next + from.size()) {
    result.append(text.substr(at, next - at)).append(to);
  }
  return result.append(text.substr(at));
}

std::uint64_t count(std::string_view text, std::string_view what) {
  std::uint64_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++found;
  return found;
}

std::string as_given(std::string_view text) { return std::string(text); }
std::string with_feeds(std::string_view text) { return replace_all(text, "\r\n", "\n"); }
std::string with_returns(std::string_view text) { return replace_all(with_feeds(text), "\n", "\r\n"); }

}  // namespace

Expected<Edited> edit_text(std::string_view content, std::string_view old_text, std::string_view new_text, Occurrences which) {
  if (valid_utf8(content) != content.size()) return refuse(code::kNotText);
  for (const auto& ends : {as_given, with_returns, with_feeds}) {
    const std::string wanted = ends(old_text);
    const std::uint64_t found = count(content, wanted);
    if (found > 1 && which == Occurrences::kOne) return refuse(code::kSeveralOccurrences);
    if (found > 0) return Edited{replace_all(content, wanted, ends(new_text)), found};
  }
  return refuse(code::kStringNotFound);
}

}  // namespace nono::files
