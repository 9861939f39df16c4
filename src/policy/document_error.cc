#include "policy/document_error.h"

#include "base/text.h"

namespace nono::policy {
namespace {

constexpr std::size_t kLongestName = 64;

bool continues_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

tl::unexpected<Error> malformed(std::string_view reason) {
  return fail(ErrorKind::kConfigParse,
              cat("Configuration parse error: Failed to parse policy.json: ", reason));
}

std::string printable(std::string_view untrusted) {
  if (untrusted.size() <= kLongestName) return escape(untrusted);
  std::size_t end = kLongestName;
  while (end > 0 && continues_a_character(untrusted[end])) --end;
  return cat(escape(untrusted.substr(0, end)), "...");
}

void append_key(std::string& path, std::string_view key) {
  if (!path.empty()) path += '.';
  path += printable(key);
}

void append_index(std::string& path, std::size_t index) { path += cat('[', index, ']'); }

std::string at_place(std::string_view path) {
  return path.empty() ? " at the top level" : cat(" at ", path);
}

std::string DocumentPath::text() const {
  if (parent_ == nullptr) return {};
  std::string path = parent_->text();
  if (name_.data() == nullptr) append_index(path, index_);
  else append_key(path, name_);
  return path;
}

}  // namespace nono::policy
