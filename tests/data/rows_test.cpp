#include "rlhf/data/readers/rows.h"

#include <gtest/gtest.h>

#include "rlhf/data/readers/shared_prompt.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::data {
namespace {

JsonlReader reader_of(std::string text, std::string name = "a.jsonl") {
  return JsonlReader::from_text(std::move(text), std::move(name));
}

template <class Read>
auto only(Read read, std::string text, std::string name = "a.jsonl") {
  auto reader = reader_of(std::move(text), std::move(name));
  auto rows = read(reader, ReadOptions{});
  EXPECT_EQ(rows.size(), 1u);
  return rows.at(0);
}

const auto prompts = [](JsonlReader& r, const ReadOptions& o) { return read_prompts(r, o); };
const auto demonstrations = [](JsonlReader& r, const ReadOptions& o) { return read_demonstrations(r, o); };
const auto preferences = [](JsonlReader& r, const ReadOptions& o) { return read_preferences(r, o); };
const auto ratings = [](JsonlReader& r, const ReadOptions& o) { return read_ratings(r, o); };

// The rows below are TRL's own examples of its dataset types, standard and conversational.

TEST(Rows, LanguageModelling) {
  EXPECT_EQ(only(demonstrations, R"({"text": "The sky is blue."})").completion.text, "The sky is blue.");
  const auto row =
      only(demonstrations,
           R"({"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}]})");
  ASSERT_EQ(row.completion.messages.size(), 2u);
  EXPECT_EQ(row.completion.messages[1].role, "assistant");
  EXPECT_EQ(row.completion.messages[1].content, "Hi!");
  EXPECT_TRUE(row.prompt.messages.empty());
}

TEST(Rows, PromptOnly) {
  const auto plain = only(prompts, R"({"prompt": "The sky is", "answer": 42})");
  EXPECT_EQ(plain.text, "The sky is");
  EXPECT_EQ(plain.id, "a.jsonl:1");
  EXPECT_EQ(plain.row["answer"], 42);
  const auto chat = only(
      prompts, R"({"id": "p7", "prompt": [{"role": "user", "content": "What colour is the sky?", "name": "Ann"}]})");
  EXPECT_EQ(chat.id, "p7");
  EXPECT_EQ(chat.messages.at(0).content, "What colour is the sky?");
  EXPECT_EQ(chat.messages.at(0).extra, nlohmann::json({{"name", "Ann"}}));
  EXPECT_EQ(only(prompts, R"("The sky is")").text, "The sky is");
  EXPECT_EQ(only(prompts, R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "x"}]})")
                .messages.size(),
            1u);
}

TEST(Rows, PromptCompletion) {
  const auto plain = only(demonstrations, R"({"prompt": "The sky is", "completion": " blue."})");
  EXPECT_EQ(plain.prompt.text, "The sky is");
  EXPECT_EQ(plain.completion.text, " blue.");
  EXPECT_EQ(plain.where, "a.jsonl:1");
  const auto chat = only(
      demonstrations,
      R"({"prompt": [{"role": "user", "content": "Sky?"}], "completion": [{"role": "assistant", "content": "It is blue."}]})");
  EXPECT_EQ(chat.prompt.messages.at(0).content, "Sky?");
  EXPECT_EQ(chat.completion.messages.at(0).content, "It is blue.");
}

TEST(Rows, ExplicitPreference) {
  const auto row =
      only(preferences,
           R"({"prompt": "The sky is", "chosen": " blue.", "rejected": " green.", "strength": 2, "annotator": "a1"})");
  EXPECT_EQ(row.prompt.text, "The sky is");
  EXPECT_EQ(row.items.at(0).text, " blue.");
  EXPECT_EQ(row.items.at(1).text, " green.");
  EXPECT_EQ(row.best, 0);
  EXPECT_EQ(row.strength, 2.0);
  EXPECT_EQ(row.prompt.row["annotator"], "a1");
  EXPECT_TRUE(only(preferences, R"({"prompt": "a", "chosen": "b", "rejected": "c", "tie": true})").tie);
}

TEST(Rows, ImplicitPreference) {
  const auto plain = only(preferences, R"({"chosen": "The sky is blue.", "rejected": "The sky is green."})");
  EXPECT_EQ(plain.prompt.text, "The sky is");
  EXPECT_EQ(plain.items.at(0).text, " blue.");
  EXPECT_EQ(plain.items.at(1).text, " green.");
  const auto chat =
      only(preferences,
           R"({"chosen": [{"role": "user", "content": "Sky?"}, {"role": "assistant", "content": "It is blue."}], )"
           R"("rejected": [{"role": "user", "content": "Sky?"}, {"role": "assistant", "content": "It is green."}]})");
  ASSERT_EQ(chat.prompt.messages.size(), 1u);
  EXPECT_EQ(chat.items.at(0).messages.at(0).content, "It is blue.");
  EXPECT_EQ(chat.items.at(1).messages.at(0).content, "It is green.");
}

TEST(Rows, DialoguesSplitAfterTheLastSharedTurn) {
  const std::string shared = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: Sky?\n\nAssistant:";
  EXPECT_EQ(shared_prompt_bytes(shared + " It is blue.", shared + " It is green."), shared.size());
  EXPECT_EQ(shared_prompt_bytes("same words here", "same words here"), 10u);  // the last word differs from nothing
  EXPECT_EQ(shared_prompt_bytes("é1", "è1"), 0u);                             // never inside a character
}

TEST(Rows, BestOfN) {
  const auto row = only(preferences, R"({"prompt": "p", "completions": ["a", "b", "c", "d"], "best": 2})");
  EXPECT_EQ(row.items.size(), 4u);
  EXPECT_EQ(row.best, 2);
}

TEST(Rows, PublishedTokenRows) {
  const auto best = only(
      preferences, R"([{"query": [5, 6], "sample0": [1], "sample1": [2], "sample2": [3], "sample3": [4], "best": 3}])",
      "offline_5k.json");
  EXPECT_EQ(best.prompt.ids, (TokenIds{5, 6}));
  EXPECT_EQ(best.items.at(3).ids, TokenIds{4});
  EXPECT_EQ(best.best, 3);
  EXPECT_EQ(best.where, "offline_5k.json[0]");
  const auto compared = only(preferences, R"({"query": [5], "sample0": [1], "sample1": [2], "difference": -0.5})");
  EXPECT_EQ(compared.best, 0);
  EXPECT_EQ(compared.strength, 0.5);
  EXPECT_TRUE(only(preferences, R"({"query": [5], "sample0": [1], "sample1": [2], "difference": 0})").tie);
  EXPECT_EQ(only(ratings, R"({"query": [5], "sample": [1, 2], "score": 0.25})").rating, 0.25);
  EXPECT_EQ(only(prompts, R"({"query": [5, 6], "sample": [1], "score": 1})").ids, (TokenIds{5, 6}));
}

TEST(Rows, Ratings) {
  const auto row = only(ratings, R"({"prompt": "p", "completion": "c", "rating": 4})");
  EXPECT_EQ(row.rating, 4.0);
  EXPECT_EQ(row.completion.text, "c");
}

TEST(Rows, NullColumnsAreAbsent) {
  EXPECT_EQ(only(preferences, R"({"prompt": null, "chosen": "x a", "rejected": "x b", "tie": null, "strength": null})")
                .prompt.text,
            "x");
}

TEST(Rows, TextPartsAreJoined) {
  const auto row = only(
      prompts,
      R"({"prompt": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]})");
  EXPECT_EQ(row.messages.at(0).content, "ab");
}

TEST(Rows, LimitAndFormat) {
  auto reader =
      reader_of("{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"c\", \"completion\": \"d\"}\nbroken");
  EXPECT_EQ(read_prompts(reader, {.format = RowShape::prompt, .limit = 2}).size(), 2u);
  EXPECT_EQ(parse_shape("best-of-n"), RowShape::best_of_n);
}

}  // namespace
}  // namespace rlhf::data
