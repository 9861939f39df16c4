#include "files/text_edit.h"

#include <cstddef>
#include <cstring>

#include "files/utf8.h"

namespace nono::files {
namespace {

// As std::string_view::find, but in time that grows with the length of the text, whatever the two are.
std::size_t find(std::string_view text, std::string_view what, std::size_t from) {
  const void* found = ::memmem(text.data() + from, text.size() - from, what.data(), what.size());
  return found == nullptr ? text.npos : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// `most`: bytes of the result.
Expected<Edited> replace(std::string_view text, std::string_view from, std::string_view to, Occurrences which, std::size_t most) {
  Edited result;
  result.content.reserve(text.size());
  std::size_t at = 0;
  for (std::size_t next = 0; (next = find(text, from, at)) != text.npos; at = next + from.size()) {
    if (which == Occurrences::kOne && result.occurrences == 1) return refuse(code::kSeveralOccurrences);
    result.content.append(text.substr(at, next - at)).append(to);
    ++result.occurrences;
    if (result.content.size() > most) return refuse(code::kTooLarge);
  }
  result.content.append(text.substr(at));
  if (result.content.size() > most) return refuse(code::kTooLarge);
  return result;
}

std::string with_each(std::string_view text, std::string_view from, std::string_view to) {
  return replace(text, from, to, Occurrences::kAll, text.npos)->content;
}
std::string as_given(std::string_view text) { return std::string(text); }
std::string with_feeds(std::string_view text) { return with_each(text, "\r\n", "\n"); }
std::string with_returns(std::string_view text) { return with_each(with_feeds(text), "\n", "\r\n"); }

}  // namespace

Expected<Edited> edit_text(std::string_view content, std::string_view old_text, std::string_view new_text, Occurrences which,
                           std::size_t most) {
  if (valid_utf8(content) != content.size()) return refuse(code::kNotText);
  for (const auto& ends : {as_given, with_returns, with_feeds}) {
    auto edited = replace(content, ends(old_text), ends(new_text), which, most);
    if (!edited || edited->occurrences > 0) return edited;
  }
  return refuse(code::kStringNotFound);
}

}  // namespace nono::files
