#include "rlhf/text/chat_template.h"

#include <gmock/gmock.h>

#include <chrono>
#include <set>

#include "tests/text/fixtures.h"

namespace rlhf::text {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const json hello = json::array({{{"role", "user"}, {"content", "Hello"}}});

std::string render(const std::string& source, const json& extra = json::object()) {
  return ChatTemplate(source, {{"bos_token", "<s>"}, {"eos_token", "</s>"}}).render(hello, true, extra);
}

std::string refusal(const std::string& source) {
  return error_of([&] { render(source); });
}

TEST(ChatTemplate, RendersAsTransformersDoes) {
  std::set<std::string> templates;
  for (const auto& entry : reference_json("chat_renderings.json")) {
    const std::string name = entry["template"];
    const std::string label = name + " / " + entry["case"].get<std::string>();
    const ChatTemplate chat(reference_text("chat_templates/" + name + ".jinja"));
    templates.insert(name);
    const std::string variables = entry["variables"];
    if (entry.contains("text")) {
      std::string text;
      const auto error = error_of([&] { text = chat.render_variables(variables); });
      EXPECT_EQ(error, "") << label;
      EXPECT_EQ(text, entry["text"].get<std::string>()) << label;
    } else {
      EXPECT_THAT(error_of([&] { chat.render_variables(variables); }), HasSubstr(entry["error"].get<std::string>()))
          << label;
    }
  }
  EXPECT_GE(templates.size(), 19u);
}

TEST(ChatTemplate, MessagesTokensAndExtrasAreVariables) {
  EXPECT_EQ(render("{{ bos_token }}{{ messages[0].content }}{{ add_generation_prompt }}{{ style }}", {{"style", "x"}}),
            "<s>HelloTruex");
  EXPECT_EQ(render("{{ bos_token }}", {{"bos_token", "other"}}), "other");
  EXPECT_EQ(render("{{ tools is none }} {{ documents is none }} {{ pad_token is defined }}"), "True True False");
}

TEST(ChatTemplate, ChatMlIsWhatSmolLm2WritesAfterItsSystemPrompt) {
  const json messages = {{{"role", "system"}, {"content", "Be brief."}}, {{"role", "user"}, {"content", "Hi"}}};
  EXPECT_EQ(ChatTemplate(chatml_template()).render(messages), smollm2_bundle().chat->render(messages));
}

TEST(ChatTemplate, StrftimeNowIsTheDate) {
  const auto now = std::time(nullptr);
  char year[8];
  std::strftime(year, sizeof year, "%Y", std::localtime(&now));
  EXPECT_EQ(render("{{ strftime_now('%Y') }}"), year);
}

TEST(ChatTemplate, ErrorsNameTheLine) {
  EXPECT_THAT(refusal("a\nb\n{% if %}"),
              AllOf(HasSubstr("chat template"), HasSubstr("line 3"), HasSubstr("syntax error")));
  EXPECT_THAT(refusal("{% for m in messages %}\n{{ m.content.nonsense() }}\n{% endfor %}"), HasSubstr("line 2"));
  EXPECT_THAT(refusal("\n{{ messages[0].no.such }}"), AllOf(HasSubstr("line 2"), HasSubstr("undefined")));
  EXPECT_THAT(refusal("\n\n{{ raise_exception('only two roles') }}"),
              HasSubstr("line 3: raise_exception: only two roles"));
  EXPECT_THAT(refusal("{{ 'x' | no_such_filter }}"), HasSubstr("no_such_filter"));
  EXPECT_THAT(refusal("{% generation %}x"), HasSubstr("syntax error"));
  EXPECT_THAT(refusal("{% include 'etc/passwd' %}"), HasSubstr("not found"));
}

TEST(ChatTemplate, HostileTemplatesEnd) {
  EXPECT_THAT(refusal("{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% "
                      "endfor %}{% endfor %}"),
              HasSubstr("did not end"));
  EXPECT_THAT(refusal("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}"), HasSubstr("recursion"));
  EXPECT_THAT(refusal("{% set x = 'x' * 10000000 %}{% for i in range(1000) %}{{ x }}{% endfor %}"),
              HasSubstr("wrote more than"));
  EXPECT_NE(refusal("{{ 'x' * 100000000000 }}"), "");
  EXPECT_NE(refusal("{{ " + std::string(20000, '(') + "1" + std::string(20000, ')') + " }}"), "");
  EXPECT_NE(refusal(std::string("\xFF")), "");
}

TEST(ChatTemplate, WhatIsNotAConversationIsRefused) {
  const ChatTemplate chat(chatml_template());
  EXPECT_THAT(error_of([&] { chat.render("Hello"); }), HasSubstr("JSON string"));
  EXPECT_THAT(error_of([&] { chat.render(json::array({{{"role", "user"}, {"content", "\xFF"}}})); }),
              HasSubstr("UTF-8"));
}

TEST(ChatTemplate, GenerationBlocksAreTransparent) {
  EXPECT_EQ(render("a {%- generation -%} b {%- endgeneration -%} c"), "abc");
  EXPECT_EQ(render("a {% generation %}\nb\n{% endgeneration %}\nc"), "a b\nc");
  EXPECT_EQ(render("{# {% generation %} #}x{{ 'generation' }}"), "xgeneration");
}

}  // namespace
}  // namespace rlhf::text
