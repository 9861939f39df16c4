#include "capability/platform_rule.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace nono::capability {
namespace {

constexpr std::string_view kSpace = " \t\n\v\f\r";

tl::unexpected<Error> refuse(std::string_view what) {
  return fail(ErrorKind::kInvalidArgument, cat("Sandbox initialization failed: platform rule ", what));
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

struct Token {
  enum class Kind { kOpen, kClose, kWord };
  Kind kind = Kind::kWord;
  std::string text;
};

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view rest) : rest_(rest) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (kSpace.find(c) != std::string_view::npos) {
        rest_.remove_prefix(1);
      } else if (c == ';') {
        skip_to("\n");
      } else if (rest_.starts_with("#|")) {
        rest_.remove_prefix(2);
        if (!skip_to("|#")) return refuse("has unterminated block comment");
      } else if (c == '(' || c == ')') {
        tokens.push_back({c == '(' ? Token::Kind::kOpen : Token::Kind::kClose, {}});
        rest_.remove_prefix(1);
      } else if (c == '"') {
        tokens.push_back({Token::Kind::kWord, NONO_TRY(quoted())});
      } else {
        tokens.push_back({Token::Kind::kWord, bare()});
      }
    }
    return tokens;
  }

 private:
  bool skip_to(std::string_view end) {
    const std::size_t at = rest_.find(end);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
    return at != std::string_view::npos;
  }

  Result<std::string> quoted() {
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      text.push_back(rest_[i]);
    }
    return refuse("has unterminated string");
  }

  std::string bare() {
    const std::size_t end = std::min(rest_.find_first_of("();\""), rest_.find_first_of(kSpace));
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(text.size());
    return text;
  }

  std::string_view rest_;
};

}  // namespace

Status validate_platform_rule(const std::string& rule) {
  const std::string_view trimmed = trim(rule);
  if (!trimmed.starts_with('(')) {
    return refuse(cat("must be an S-expression starting with '(': ", rule));
  }
  const std::vector<Token> tokens = NONO_TRY(Tokenizer(trimmed).run());

  int depth = 0;
  std::vector<std::string_view> words;
  for (const Token& token : tokens) {
    if (token.kind == Token::Kind::kWord) words.push_back(token.text);
    if (token.kind == Token::Kind::kOpen) ++depth;
    if (token.kind == Token::Kind::kClose && --depth < 0) break;
  }
  if (depth != 0) return refuse(cat("has unbalanced parentheses: ", rule));

  for (std::size_t i = 0; i + 3 < words.size(); ++i) {
    if (words[i] != "allow" || words[i + 2] != "subpath" || words[i + 3] != "/") continue;
    if (words[i + 1] == "file-read*") return refuse("must not grant root-level read access");
    if (words[i + 1] == "file-write*") return refuse("must not grant root-level write access");
  }
  return {};
}

}  // namespace nono::capability
