#include "policy/strict_json.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace nono::policy {
namespace {

using namespace std::string_view_literals;

std::string refusal(std::string_view text) {
  const Result<JsonValue> value = parse_strict_json(text);
  if (value) return "accepted";
  EXPECT_EQ(value.error().kind, ErrorKind::kInvalidJson);
  return value.error().message;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(StrictJson, KeepsKindsOrderAndNesting) {
  const auto value = parse_strict_json(R"({"b": [1, -2, 2.5, true, null], "a": {"x": "\u00e9"}})");
  ASSERT_TRUE(value);
  const auto* object = value->as<JsonValue::Object>();
  ASSERT_NE(object, nullptr);
  ASSERT_EQ(object->size(), 2U);
  EXPECT_EQ(object->front().name, "b");
  const auto* array = object->front().value.as<JsonValue::Array>();
  ASSERT_NE(array, nullptr);
  EXPECT_EQ((*array)[0], JsonValue{std::uint64_t{1}});
  EXPECT_EQ((*array)[1], JsonValue{std::int64_t{-2}});
  EXPECT_EQ((*array)[2], JsonValue{2.5});
  EXPECT_EQ((*array)[3], JsonValue{true});
  EXPECT_TRUE((*array)[4].is_null());
  const JsonValue* inner = value->find("a");
  ASSERT_NE(inner, nullptr);
  EXPECT_EQ(*inner->find("x"), JsonValue{std::string("\xc3\xa9")});
  EXPECT_EQ(inner->find("y"), nullptr);
  EXPECT_EQ(array->front().find("x"), nullptr);
}

TEST(StrictJson, RefusesWhatIsNotOneJsonValue) {
  for (const std::string_view text :
       {""sv, " "sv, "{"sv, "{}}"sv, "{} {}"sv, "[1,]"sv, "{\"a\":1,}"sv, "{'a':1}"sv, "// c\n{}"sv, "nul"sv,
        "01"sv, "1e999"sv, "NaN"sv, "\"a"sv, "\"\\x\""sv, "\"\x01\""sv, "\"\\ud800\""sv}) {
    EXPECT_NE(refusal(text), "accepted") << escape(text);
  }
}

TEST(StrictJson, SaysWhereTheSyntaxIsWrong) {
  EXPECT_EQ(refusal("{\n  \"a\": x\n}"),
            "syntax error while parsing value - invalid literal at line 2 column 8");
  EXPECT_EQ(refusal("[1e999]").substr(0, 19), "number out of range");
}

TEST(StrictJson, DoesNotRepeatTheDocumentInTheError) {
  EXPECT_LT(refusal(cat("\"\\ud800", std::string(100'000, 'a'), "\"")).size(), 200U);
  EXPECT_LT(refusal(cat("{\"", std::string(100'000, 'a'), "\":x}")).size(), 200U);
  EXPECT_LT(refusal(cat(std::string(100'000, '9'), "e999")).size(), 200U);
  EXPECT_LT(refusal(repeated(cat("{\"", repeated("\xe2\x80\xae", 20), "\":"), 100)).size(), 1000U);
}

TEST(StrictJson, RefusesInvalidUtf8) {
  for (const std::string_view bytes : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_NE(refusal(cat("{\"a\": \"", bytes, "\"}")).find("UTF-8"), std::string::npos) << escape(bytes);
    EXPECT_NE(refusal(cat("{\"", bytes, "\": 1}")).find("UTF-8"), std::string::npos) << escape(bytes);
    EXPECT_NE(refusal(cat("{} ", bytes)), "accepted") << escape(bytes);
  }
}

TEST(StrictJson, RefusesNul) {
  EXPECT_EQ(refusal("{}\0garbage"sv), "NUL byte at line 1 column 3");
  EXPECT_EQ(refusal(R"({"a": [1, "x\u0000y"]})"), "NUL character in a string at a[1]");
  EXPECT_EQ(refusal(R"({"a": {"x\u0000y": 1}})"), "NUL character in a key at a");
}

TEST(StrictJson, RefusesTheSameKeyTwice) {
  EXPECT_EQ(refusal(R"({"a": 1, "b": 2, "a": 3})"), "duplicate field `a` at the top level");
  EXPECT_EQ(refusal(R"({"g": [0, {"a": 1, "\u0061": 3}]})"), "duplicate field `a` at g[1]");
  EXPECT_EQ(refusal(R"({"a": {"a": 1}, "b": {"a": 1}})"), "accepted");
}

TEST(StrictJson, EscapesAndClipsNamesInErrors) {
  EXPECT_EQ(refusal("{\"\xe2\x80\xae\": 1, \"\xe2\x80\xae\": 2}"),
            "duplicate field `\\u{202e}` at the top level");
  const std::string longest = repeated("\xc3\xa9", 1000);
  EXPECT_EQ(refusal(cat("{\"", longest, "\": 1, \"", longest, "\": 2}")),
            cat("duplicate field `", repeated("\xc3\xa9", 32), "...` at the top level"));
}

TEST(StrictJson, BoundsNesting) {
  EXPECT_EQ(refusal(cat(repeated("[", 64), repeated("]", 64))), "accepted");
  EXPECT_TRUE(refusal(repeated("[", 65)).starts_with("nested deeper than 64 levels at [0][0]"));
  EXPECT_TRUE(refusal(repeated("{\"a\":", 100'000)).starts_with("nested deeper than 64 levels at a.a."));
}

TEST(StrictJson, BoundsSizeAndNumberOfValues) {
  EXPECT_EQ(refusal(cat("\"", std::string(kMaxDocumentBytes - 2, 'a'), "\"")), "accepted");
  EXPECT_EQ(refusal(cat("\"", std::string(kMaxDocumentBytes - 1, 'a'), "\"")), "larger than 4194304 bytes");
  EXPECT_EQ(refusal(cat("[1", repeated(",1", kMaxValues - 2), "]")), "accepted");
  EXPECT_EQ(refusal(cat("[1", repeated(",1", kMaxValues - 1), "]")), "more than 200000 values");
}

}  // namespace
}  // namespace nono::policy
