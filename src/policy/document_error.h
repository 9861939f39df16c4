// What the error about a malformed policy document says, and where in the document it points.
//
// DocumentPath is a chain on the stack that becomes text (`groups.web.allow.read[3]`) only when
// something is wrong; a parent must outlive its children, and a name the document it was read
// from. Names and values are a stranger's text: they are clipped and escaped on the way out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nono::policy {

// The kConfigParse error for this document: "Configuration parse error: Failed to parse ...".
[[nodiscard]] tl::unexpected<Error> malformed(std::string_view reason);

// At most 64 bytes of a name or value from a document, safe to print.
[[nodiscard]] std::string printable(std::string_view untrusted);

void append_key(std::string& path, std::string_view key);
void append_index(std::string& path, std::size_t index);

// " at groups.web", or " at the top level" for an empty path.
[[nodiscard]] std::string at_place(std::string_view path);

class DocumentPath {
 public:
  DocumentPath() = default;
  [[nodiscard]] DocumentPath key(std::string_view name) const { return {this, name, 0}; }
  [[nodiscard]] DocumentPath index(std::size_t i) const { return {this, {}, i}; }
  [[nodiscard]] std::string text() const;

 private:
  DocumentPath(const DocumentPath* parent, std::string_view name, std::size_t index)
      : parent_(parent), name_(name), index_(index) {}

  const DocumentPath* parent_ = nullptr;
  std::string_view name_;  // null data: an index
  std::size_t index_ = 0;
};

}  // namespace nono::policy
