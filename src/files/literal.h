// Literal text in bytes, as `grep -F` takes a pattern: each line of it is looked for. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nono::files {

class Literal {
 public:
  explicit Literal(std::string_view pattern);

  // Where the first occurrence in `text` begins; npos: nowhere.
  [[nodiscard]] std::size_t find(std::string_view text) const;

 private:
  std::vector<std::string> alternatives_;
};

[[nodiscard]] std::uint64_t count_lines(std::string_view text);  // line feeds

}  // namespace nono::files
