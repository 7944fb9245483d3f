#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/generation/json_format.h"

namespace rlhf::generation {
namespace {

using json = nlohmann::ordered_json;
using testing::HasSubstr;

bool accepts(const JsonGrammar& grammar, const std::string& text) {
  JsonAcceptor acceptor(grammar);
  return acceptor.push(text) && acceptor.complete();
}

TEST(JsonAcceptor, AgreesWithAParser) {
  const auto grammar = JsonGrammar::from_schema(json::object());
  for (const std::string text : {R"({})", R"([])", R"({"a":1})", R"( { "a" : [ 1 , -2.5e+3, true,false,null, "x" ] , "b":{"c":{}}} )", "0", "-0", "1.50",
                                 "1e5", R"("\u00e9\n\"\\/")", "\"\xC3\xA9\xF0\x9F\x98\x80\"", R"([[[[1]]]])", "true", R"("")", R"({"":{"":[]}})",
                                 // and what is none
                                 "", "{", "}", "{]", R"({"a"})", R"({"a":})", R"({"a":1,})", "[1,]", "[,1]", "01", "1.", ".5", "-", "1e", "+1", "tru", "nul",
                                 "\"\x01\"", "\"\xC3\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", R"("\x")", R"("\u12g4")", R"({a:1})",
                                 "'a'", "[1 2]", R"({"a" 1})", "nan", R"(["a")"}) {
    // The acceptor stops at the end of the value; what may follow for a parser is white space only.
    const auto end = text.find_last_not_of(' ');
    const auto trimmed = end == std::string::npos ? "" : text.substr(0, end + 1);
    EXPECT_EQ(accepts(grammar, trimmed), nlohmann::json::accept(text)) << text;
  }
}

TEST(JsonAcceptor, HasBoundsWhereAModelCouldGoOnForever) {
  const auto grammar = JsonGrammar::from_schema(json::object());
  EXPECT_TRUE(accepts(grammar, "[" + std::string(20, ' ') + "]"));
  EXPECT_FALSE(accepts(grammar, "[" + std::string(21, ' ') + "]"));
  EXPECT_TRUE(accepts(grammar, std::string(18, '1')));
  EXPECT_FALSE(accepts(grammar, std::string(19, '1')));
  EXPECT_FALSE(accepts(grammar, std::string(60, '[') + std::string(60, ']')));
  EXPECT_FALSE(accepts(grammar, "1e999"));
  EXPECT_FALSE(accepts(grammar, R"("\ud83d")"));  // half of a character
}

/// A text by random choice among the bytes that may come next; closing ones are favoured, so that it ends.
std::string random_text(const JsonGrammar& grammar, std::uint64_t seed) {
  Random random(seed);
  JsonAcceptor acceptor(grammar);
  std::string text;
  while (!acceptor.closed() && text.size() < 20000) {
    std::string possible, closing;
    for (int byte = 0; byte < 256; ++byte) {
      auto next = acceptor;
      if (!next.push(static_cast<char>(byte))) continue;
      possible += static_cast<char>(byte);
      if (std::string_view("\"]},").find(static_cast<char>(byte)) != std::string_view::npos) closing += static_cast<char>(byte);
    }
    if (possible.empty()) ADD_FAILURE() << "a dead end behind " << text;
    const auto& from = !closing.empty() && random.uniform() < 0.4 ? closing : possible;
    text += from[random.below(std::ssize(from))];
    acceptor.push(text.back());
  }
  return text;
}

TEST(JsonAcceptor, WhateverItLetsThroughParses) {
  const auto grammar = JsonGrammar::any_object();
  int ended = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto text = random_text(grammar, seed);
    if (text.size() >= 20000) continue;
    ++ended;
    EXPECT_TRUE(nlohmann::json::accept(text)) << text;
    EXPECT_TRUE(nlohmann::json::parse(text).is_object());
  }
  EXPECT_GT(ended, 150);
}

const char* const person = R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "name": {"type": "string", "description": "in full"},
    "age": {"type": ["integer", "null"]},
    "role": {"enum": ["user", "uses", 1, 12]},
    "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
    "friend": {"anyOf": [{"$ref": "#/$defs/pet"}, {"type": "null"}]},
    "odd": {"type": "boolean"}},
  "required": ["name", "role", "friend"],
  "$defs": {"pet": {"type": "object", "properties": {"owner": {"$ref": "#/$defs/pet"}, "size": {"type": "number"}}, "required": ["size"]}}})";

TEST(JsonGrammar, SchemaIsKept) {
  const auto grammar = JsonGrammar::from_schema(json::parse(person));
  EXPECT_TRUE(accepts(grammar, R"({"name": "Eve", "role": 12, "friend": null})"));
  EXPECT_TRUE(accepts(grammar, R"({"name":"","age":null,"role":"uses","tags":["a","b"],"friend":{"owner":{"size":1},"size":2.5},"odd":true})"));
  for (const char* wrong : {R"({})", R"({"name":"x"})", R"({"role":1,"name":"x","friend":null})",  // required, and in order
                            R"({"name":"x","role":"usex","friend":null})", R"({"name":"x","role":123,"friend":null})", R"({"name":1,"role":1,"friend":null})",
                            R"({"name":"x","age":1.5,"role":1,"friend":null})", R"({"name":"x","role":1,"tags":[],"friend":null})",
                            R"({"name":"x","role":1,"tags":["a","b","c"],"friend":null})", R"({"name":"x","role":1,"friend":{}})",
                            R"({"name":"x","role":1,"friend":null,"more":1})", R"([])"}) {
    EXPECT_FALSE(accepts(grammar, wrong)) << wrong;
  }
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto value = json::parse(random_text(grammar, seed));
    EXPECT_TRUE(value["name"].is_string());
    EXPECT_TRUE(!value.contains("age") || value["age"].is_null() || value["age"].is_number_integer());
    EXPECT_THAT(value["role"], testing::AnyOf("user", "uses", 1, 12));
    EXPECT_TRUE(!value.contains("tags") || (value["tags"].size() >= 1 && value["tags"].size() <= 2));
    EXPECT_TRUE(value["friend"].is_null() || value["friend"]["size"].is_number());
  }
}

TEST(JsonGrammar, WhatItCannotKeepItRefuses) {
  const auto refusal = [](const char* schema) -> std::string {
    try {
      JsonGrammar::from_schema(json::parse(schema));
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::usage);
      return error.what();
    }
    return "nothing";
  };
  EXPECT_THAT(refusal(R"({"type":"object","properties":{"a":{"type":"string","pattern":"x+"}}})"), HasSubstr("schema.properties.a.pattern"));
  EXPECT_THAT(refusal(R"({"type":"text"})"), HasSubstr("\"text\" is no type"));
  EXPECT_THAT(refusal(R"({"anyOf":[{"type":"object"},{"type":"object"}]})"), HasSubstr("begin with '{'"));
  EXPECT_THAT(refusal(R"({"$ref":"#/$defs/none"})"), HasSubstr("not in this schema"));
  EXPECT_THAT(refusal(R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}}})"), HasSubstr("refers to itself"));
  EXPECT_THAT(refusal(R"({"type":"object","properties":{"a":{}},"required":["b"]})"), HasSubstr("\"b\" is not among"));
  EXPECT_THAT(refusal(R"({"enum":[]})"), HasSubstr("list of values"));
}

TEST(JsonFormat, AllowsExactlyTheTokensThatCanFollow) {
  const std::vector<std::string> texts(20, R"({"name": "Anne", "age": 12, "tags": ["a", "b"], "x": null, "é": true} {"name": "Bob"}, [[1, 2.5]])");
  const std::vector<std::string> special{"<|end|>"};
  const auto text = text::TextBundle::from_tokenizer(text::train_bpe(texts, 340, special), {{"eos_token", "<|end|>"}});
  const auto tokens = std::make_shared<const TokenBytes>(text);
  ASSERT_GT(tokens->vocabulary, 280);
  const auto grammar = JsonGrammar::any_object();
  const auto format = std::make_shared<const JsonFormat>(grammar, tokens);
  const std::string whole = R"({"name": "Anne", "é": [1, 2.5, {"x": null}]})";
  JsonFormat::Cursor cursor(format);
  JsonAcceptor plain(grammar);
  bool ended = false;
  for (const auto token : text.tokenizer.encode(whole)) {
    ASSERT_FALSE(ended);
    const auto allowed = cursor.allowed();
    EXPECT_TRUE(allowed->contains(token));
    for (TokenId id = 0; id < tokens->vocabulary; ++id) {
      auto tried = plain;
      const auto bytes = text.tokenizer.token_bytes(id);
      EXPECT_EQ(allowed->contains(id), !text.tokenizer.is_special(id) && !bytes.empty() && tried.push(bytes)) << bytes;
    }
    ended = cursor.push(token);
    plain.push(text.tokenizer.token_bytes(token));
  }
  EXPECT_TRUE(ended);
  EXPECT_TRUE(cursor.allowed()->contains(text.special.stop.front()));
}

}  // namespace
}  // namespace rlhf::generation
