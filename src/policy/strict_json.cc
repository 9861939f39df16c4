#include "policy/strict_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text.h"
#include "policy/document_error.h"

namespace nono::policy {
namespace {

using ParserEvents = nlohmann::json_sax<nlohmann::json>;

constexpr std::size_t kLongestPath = 512;

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::string position_text(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
  return cat(" at line ", line, " column ", column);
}

// The parser's own reason without its tag and without the quoted input, which may be megabytes.
std::string syntax_reason(std::string_view what) {
  const std::size_t reason = what.find("syntax error");
  if (reason == std::string_view::npos) return "number out of range";
  what.remove_prefix(reason);
  return escape(what.substr(0, what.find("; last read")));
}

// Builds the tree from the parser's events. An open container waits in `open_` with the name its
// next child will get; it moves into its parent when it closes.
class TreeBuilder final : public ParserEvents {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}

  [[nodiscard]] Result<JsonValue> take() {
    if (refusal_) return fail(ErrorKind::kInvalidJson, std::move(*refusal_));
    return std::move(root_);
  }

  bool null() override { return add({nullptr}); }
  bool boolean(bool value) override { return add({value}); }
  bool number_integer(number_integer_t value) override { return add({value}); }
  bool number_unsigned(number_unsigned_t value) override { return add({value}); }
  bool number_float(number_float_t value, const string_t&) override { return add({value}); }
  bool binary(binary_t&) override { return refuse("binary value"); }
  bool string(string_t& value) override {
    if (has_nul(value)) return refuse(cat("NUL character in a string", at_place(path())));
    return add({std::move(value)});
  }
  bool start_object(std::size_t) override { return open({JsonValue::Object{}}); }
  bool start_array(std::size_t) override { return open({JsonValue::Array{}}); }
  bool key(string_t& name) override {
    if (has_nul(name)) return refuse(cat("NUL character in a key", at_place(path_of_container())));
    open_.back().name = std::move(name);
    return true;
  }
  bool end_object() override {
    const auto& members = *open_.back().value.as<JsonValue::Object>();
    std::vector<std::string_view> names;
    names.reserve(members.size());
    for (const JsonMember& member : members) names.emplace_back(member.name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) {
      return refuse(cat("duplicate field `", printable(*twice), "`", at_place(path_of_container())));
    }
    return close();
  }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t byte, const std::string&,
                   const nlohmann::json::exception& error) override {
    return refuse(cat(syntax_reason(error.what()), position_text(text_, byte)));
  }

 private:
  struct Open {
    JsonValue value;
    std::string name;  // of the member being read, if this is an object
  };

  bool refuse(std::string why) {
    refusal_ = std::move(why);
    return false;
  }

  bool count() {
    if (++values_ <= kMaxValues) return true;
    return refuse(cat("more than ", kMaxValues, " values"));
  }

  bool open(JsonValue container) {
    if (open_.size() == kMaxNesting) {
      return refuse(cat("nested deeper than ", kMaxNesting, " levels", at_place(path())));
    }
    if (!count()) return false;
    open_.push_back({std::move(container), {}});
    return true;
  }

  bool close() {
    JsonValue closed = std::move(open_.back().value);
    open_.pop_back();
    place(std::move(closed));
    return true;
  }

  bool add(JsonValue value) {
    if (!count()) return false;
    place(std::move(value));
    return true;
  }

  void place(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* array = std::get_if<JsonValue::Array>(&open_.back().value.data)) {
      array->push_back(std::move(value));
    } else {
      auto& object = std::get<JsonValue::Object>(open_.back().value.data);
      object.push_back({std::move(open_.back().name), std::move(value)});
    }
  }

  [[nodiscard]] std::string path_of(std::size_t levels) const {
    std::string path;
    for (std::size_t i = 0; i < levels; ++i) {
      if (path.size() > kLongestPath) return path + "...";
      const auto* array = open_[i].value.as<JsonValue::Array>();
      if (array != nullptr) append_index(path, array->size());
      else append_key(path, open_[i].name);
    }
    return path;
  }
  [[nodiscard]] std::string path() const { return path_of(open_.size()); }
  [[nodiscard]] std::string path_of_container() const { return path_of(open_.size() - 1); }

  std::string_view text_;
  std::vector<Open> open_;
  JsonValue root_;
  std::size_t values_ = 0;
  std::optional<std::string> refusal_;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  const auto* object = as<Object>();
  if (object == nullptr) return nullptr;
  const auto found = std::find_if(object->begin(), object->end(),
                                  [&](const JsonMember& member) { return member.name == name; });
  return found == object->end() ? nullptr : &found->value;
}

std::string_view JsonValue::kind() const {
  constexpr std::string_view kKinds[] = {"null",     "a boolean", "an integer", "an integer",
                                         "a number", "a string",  "an array",   "an object"};
  static_assert(std::size(kKinds) == std::variant_size_v<decltype(data)>);
  return kKinds[data.index()];
}

bool operator==(const JsonValue& a, const JsonValue& b) { return a.data == b.data; }
bool operator==(const JsonMember& a, const JsonMember& b) {
  return a.name == b.name && a.value == b.value;
}

Result<JsonValue> parse_strict_json(std::string_view text) {
  if (text.size() > kMaxDocumentBytes) {
    return fail(ErrorKind::kInvalidJson, cat("larger than ", kMaxDocumentBytes, " bytes"));
  }
  // The parser takes a raw NUL for the end of the text and would not look at what follows.
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    return fail(ErrorKind::kInvalidJson, cat("NUL byte", position_text(text, nul + 1)));
  }
  TreeBuilder builder(text);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

}  // namespace nono::policy
