#include "rlhf/data/encode.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/core/scratch_folder.h"
#include "tests/data/tiny_text.h"

namespace rlhf::data {
namespace {

Demonstration plain(std::string prompt, std::string completion) {
  Demonstration row;
  row.prompt.text = std::move(prompt);
  row.completion.text = std::move(completion);
  row.where = "f.jsonl:1";
  return row;
}

Demonstration conversation(std::vector<Message> messages) {
  Demonstration row;
  row.completion.messages = std::move(messages);
  row.where = "f.jsonl:1";
  return row;
}

TEST(Encode, PlainRowsLearnTheCompletionAndTheStopToken) {
  const auto text = tiny_text();
  const auto out = encode(plain("The sky is", " blue."), text);
  EXPECT_FALSE(out.problem);
  EXPECT_FALSE(out.merged);
  EXPECT_TRUE(out.stopped);
  EXPECT_EQ(text.tokenizer.decode(out.example.ids, false), "The sky is blue.<|im_end|>");
  EXPECT_EQ(learnt_text(text, out.example.ids, out.example.mask), " blue.<|im_end|>");
  EXPECT_EQ(out.example.scored, static_cast<std::int64_t>(out.example.ids.size()) - 1);
}

TEST(Encode, AStopTokenThatIsThereIsNotDoubled) {
  const auto text = tiny_text();
  EXPECT_EQ(encode(plain("The sky is", " blue.<|im_end|>"), text).example.ids,
            encode(plain("The sky is", " blue."), text).example.ids);
}

TEST(Encode, TextRowsLearnEverythingButTheFirstToken) {
  const auto text = tiny_text();
  const auto out = encode(plain("", "The sky is blue."), text);
  EXPECT_FALSE(out.problem);
  EXPECT_EQ(out.example.mask[0], 0);
  EXPECT_EQ(std::count(out.example.mask.begin(), out.example.mask.end(), 1),
            static_cast<std::ptrdiff_t>(out.example.ids.size()) - 1);
}

TEST(Encode, ThePromptIsWhatInferenceMeetsAlsoWhereTokensWouldMerge) {
  const auto text = tiny_text();
  Prompt prompt;
  prompt.text = "What colour is the s";
  encode_prompt(prompt, text);
  const auto out = encode(plain("What colour is the s", "ky?"), text);  // " sky" is one token of this tokenizer
  ASSERT_EQ(text.tokenizer.encode(" sky").size(), 1u);
  EXPECT_TRUE(out.merged);
  EXPECT_TRUE(std::equal(prompt.ids.begin(), prompt.ids.end(), out.example.ids.begin()));
  EXPECT_EQ(text.tokenizer.decode(out.example.ids, true), "What colour is the sky?");
}

TEST(Encode, ConversationsLearnEveryAssistantTurnWithItsEnd) {
  const auto text = tiny_text();
  const auto out = encode(
      conversation({{"user", "Sky?"}, {"assistant", "blue"}, {"user", "Sea?"}, {"assistant", "blue too"}}), text);
  EXPECT_FALSE(out.problem);
  EXPECT_TRUE(out.stopped);
  EXPECT_EQ(text.tokenizer.decode(out.example.ids, false),
            "<|im_start|>user\nSky?<|im_end|>\n<|im_start|>assistant\nblue<|im_end|>\n"
            "<|im_start|>user\nSea?<|im_end|>\n<|im_start|>assistant\nblue too<|im_end|>");
  EXPECT_EQ(learnt_text(text, out.example.ids, out.example.mask), "blue<|im_end|>blue too<|im_end|>");
}

TEST(Encode, PromptAndMessagesAgreeOnTheLastTurn) {
  const auto text = tiny_text();
  Demonstration split = conversation({{"assistant", "blue"}});
  split.prompt.messages = {{"user", "Sky?"}};
  const auto one = encode(split, text).example,
             other = encode(conversation({{"user", "Sky?"}, {"assistant", "blue"}}), text).example;
  EXPECT_EQ(one.ids, other.ids);
  EXPECT_EQ(one.mask, other.mask);
  Prompt prompt;
  prompt.messages = split.prompt.messages;
  encode_prompt(prompt, text);
  EXPECT_EQ(prompt.text, "<|im_start|>user\nSky?<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_TRUE(std::equal(prompt.ids.begin(), prompt.ids.end(), one.ids.begin()));
}

// A template that gives the end of the turn to the next message: the model would never learn to stop.
TEST(Encode, ATemplateThatDoesNotEndTheTurnIsCaught) {
  const auto text = tiny_text(
      "{% for m in messages %}{% if not loop.first %}<|im_end|>\n{% endif %}<|im_start|>{{ m.role }}\n{{ m.content "
      "}}{% endfor %}"
      "{% if add_generation_prompt %}<|im_end|>\n<|im_start|>assistant\n{% endif %}");
  const auto out = encode(conversation({{"user", "Sky?"}, {"assistant", "blue"}}), text);
  EXPECT_FALSE(out.problem);
  EXPECT_FALSE(out.stopped);
}

TEST(Encode, ATemplateThatRewritesThePromptIsCaught) {
  const auto text = tiny_text(
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}");
  EXPECT_EQ(encode(conversation({{"user", "Sky?"}, {"assistant", "blue"}}), text).problem, Problem::template_mismatch);
}

TEST(Encode, ProblemsByReason) {
  const auto text = tiny_text();
  EXPECT_EQ(encode(plain("The sky is", ""), text).problem, Problem::empty_completion);
  EXPECT_EQ(encode(conversation({{"user", "Sky?"}}), text).problem, Problem::no_supervised_token);
  EXPECT_EQ(encode(conversation({{"user", "Sky?"}, {"assistant", ""}}), text).problem, Problem::empty_completion);
  EXPECT_EQ(encode(plain("The sky is", " blue."), text, {.max_tokens = 3}).problem, Problem::too_long);
  EXPECT_THROW(encode(plain("<|im_start|><|im_start|>user\nHi", " blue."), text), Error);  // a doubled BOS is never a matter of one row
  Preference same;
  same.prompt.text = "The sky is";
  same.items = {{" blue.", {}, {}}, {" blue.", {}, {}}};
  EXPECT_EQ(encode(same, text).problem, Problem::identical_items);
  same.prompt.text = "";
  EXPECT_EQ(encode(same, text).problem, Problem::empty_prompt);
}

TEST(Encode, ComparisonsKeepTheirJudgement) {
  const auto text = tiny_text();
  Preference row;
  row.prompt.text = "The sky is";
  row.items = {{" blue.", {}, {}}, {" long.", {}, {}}, {" too.", {}, {}}};
  row.best = 2;
  row.strength = 0.5;
  const auto out = encode(row, text).comparison;
  EXPECT_EQ(out.prompt, text.tokenizer.encode("The sky is"));
  EXPECT_EQ(text.tokenizer.decode(out.items.at(2), false), " too.<|im_end|>");
  EXPECT_EQ(out.best, 2);
  EXPECT_EQ(out.strength, 0.5);
}

TEST(Encode, PublishedTokensStayAsTheyAreWithoutTheirPadding) {
  const auto text = tiny_text();
  const auto size = text.tokenizer.size();
  Preference row;
  row.prompt.ids = {5, 6, size, size + 3};
  row.items = {{"", {}, {7, 8, size}}, {"", {}, {9}}};
  const auto out = encode(row, text);
  EXPECT_FALSE(out.problem);
  EXPECT_FALSE(out.stopped);
  EXPECT_EQ(out.comparison.prompt, (TokenIds{5, 6}));
  EXPECT_EQ(out.comparison.items.at(0), (TokenIds{7, 8}));
}

TEST(Encode, AConversationNeedsATemplate) {
  const auto text = tiny_text("");
  const auto error = error_of([&] { encode(conversation({{"user", "a"}, {"assistant", "b"}}), text); });
  EXPECT_EQ(error.category(), Category::usage);
  EXPECT_EQ(error.problem(), "the rows are conversations, but this model has no chat template");
}

TEST(Encode, ATemplatesComplaintNamesTheRow) {
  const auto text = tiny_text("{{ raise_exception('roles must alternate') }}");
  const auto error = error_of([&] { encode(conversation({{"user", "a"}, {"assistant", "b"}}), text); });
  EXPECT_EQ(error.where(), "f.jsonl:1");
  EXPECT_NE(error.problem().find("roles must alternate"), std::string::npos);
}

std::vector<Message> any_turns() {
  const auto words = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("blue", "The sky", " is", "\n", "?", "é", "😀", "  ", "colour"));
  std::vector<Message> turns;
  for (std::size_t i = 0; i < words.size(); ++i) turns.push_back({i % 2 == 0 ? "user" : "assistant", words[i] + "."});
  return turns;
}

RC_GTEST_PROP(Encode, MasksCoverAssistantTurnsAndNothingElse, ()) {
  const auto text = tiny_text();
  const auto turns = any_turns();
  const auto out = encode(conversation(turns), text);
  std::string expected;
  for (std::size_t i = 1; i < turns.size(); i += 2) expected += turns[i].content + "<|im_end|>";
  RC_ASSERT(out.problem.has_value() == expected.empty());
  if (out.problem) return;
  RC_ASSERT(out.example.mask.size() == out.example.ids.size());
  RC_ASSERT(learnt_text(text, out.example.ids, out.example.mask) == expected);
  RC_ASSERT(text.is_stop(out.example.ids.back()));
}

RC_GTEST_PROP(Encode, PlainRowsKeepPromptTokensAndText, ()) {
  const auto text = tiny_text();
  const auto piece =
      rc::gen::container<std::string>(rc::gen::element('a', ' ', 'T', 'h', 'e', 's', 'k', 'y', '.', '\n'));
  const std::string prompt = *piece, completion = *piece;
  const auto out = encode(plain(prompt, completion), text);
  Prompt encoded;
  encoded.text = prompt;
  encode_prompt(encoded, text);
  RC_ASSERT(out.example.ids.size() >= encoded.ids.size());
  RC_ASSERT(std::equal(encoded.ids.begin(), encoded.ids.end(), out.example.ids.begin()));
  RC_ASSERT(out.problem.has_value() == completion.empty());
  if (!completion.empty()) RC_ASSERT(text.tokenizer.decode(out.example.ids, true) == prompt + completion);
}

}  // namespace
}  // namespace rlhf::data
