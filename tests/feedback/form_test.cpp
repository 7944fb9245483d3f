#include "rlhf/feedback/form.h"

#include <gtest/gtest.h>

#include "rlhf/feedback/record.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

TEST(Forms, EveryBuiltInFormIsWholeAndGoesThroughItsRecord) {
  ASSERT_GE(builtin_forms().size(), 20u);
  for (const auto& [name, form] : builtin_forms()) {
    EXPECT_EQ(form.name, name);
    EXPECT_FALSE(form.title.empty()) << name;
    EXPECT_FALSE(form.instruction.empty()) << name;
    EXPECT_EQ(to_json(form), name);  // a built-in form is written as its name
    EXPECT_EQ(whole_json(form_from_json(whole_json(form), "x")), whole_json(form)) << name;
  }
}

TEST(Forms, AChangedBuiltInFormIsWrittenWhole) {
  auto form = builtin_form("pair");
  form.parts[0].allow_tie = true;
  const auto record = to_json(form);
  ASSERT_TRUE(record.is_object());
  EXPECT_TRUE(form_from_json(record, "x").parts[0].allow_tie);
}

constexpr const char* own = R"(
name = "politeness"
title = "How polite?"
least_items = 1
most_items = 2
[[parts]]
name = "polite"
ask = "rate"
axes = [{ name = "polite", low = 0, high = 10, anchors = [[0, "rude"], [10, "a diplomat"]] }]
[[parts]]
name = "better"
ask = "mark_spans"
categories = ["rude"]
required = false
)";

std::string message(std::string text) {
  return error_of([&] { form_from_toml(text, "own.toml"); }).what();
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(Forms, AUsersFormIsASmallFile) {
  const auto form = form_from_toml(own, "own.toml");
  EXPECT_EQ(form.parts.at(0).axes.at(0).anchors.at(1).second, "a diplomat");
  EXPECT_EQ(form.find("better")->categories.at(0), "rude");
  EXPECT_EQ(form.find("worse"), nullptr);
  EXPECT_EQ(message(with(own, "ask = \"rate\"", "ask = \"guess\"")).substr(0, 32),
            "own.toml: \"ask\" is \"guess\"; one ");
  EXPECT_EQ(message(with(own, "required = false", "requierd = false")).substr(0, 40),
            "own.toml: \"requierd\" is no key of this. ");
  EXPECT_EQ(message(with(own, "name = \"better\"", "name = \"polite\"")),
            "form \"politeness\": two parts are called \"polite\".");
  EXPECT_EQ(message(with(own, "low = 0", "low = 10")),
            "form \"politeness\": the scale \"polite\" must have its low end below its high end, and a step above 0.");
  EXPECT_EQ(message(with(own, "ask = \"rate\"", "ask = \"compare\"")),
            "form \"politeness\": part \"polite\" compares, but the form may have fewer than two items. Set "
            "least_items = 2.");
  EXPECT_EQ(error_of([] { builtin_form("rankin"); }).fix(), "Did you mean \"ranking\"?");
}

TEST(Forms, TheJudgementThatTrainsIsNotAskedBeforeTheRest) {
  EXPECT_TRUE(builtin_form("red_team").find("plan")->before);
  EXPECT_EQ(message(with(own, "ask = \"rate\"", "ask = \"rate\"\nbefore = true")).substr(0, 98),
            "form \"politeness\": its first part is the judgement that trains; it cannot be asked before the rest");
}

Question with_form(const char* form, std::vector<std::string> words) {
  auto question = question_of("q", std::move(words));
  question.form = builtin_form(form);
  return question;
}

std::string refused(const Answer& answer, const Question& question) {
  return error_of([&] { validate(answer, question); }).problem();
}

TEST(Answers, MustAnswerTheirForm) {
  const auto pair = with_form("pair", {"a", "b"});
  validate(Comparison{.best = 1}, pair);
  EXPECT_EQ(refused(Comparison{.best = 2}, pair), "item 2 is meant, but there are 2 items, counted from 0");
  EXPECT_EQ(refused(Comparison{.tie = true}, pair), "a tie was given, but this question allows none");
  EXPECT_EQ(refused(Comparison{.incomparable = true}, pair),
            "\"incomparable\" was given, but this question does not allow it");
  EXPECT_EQ(refused(Comparison{.strength = 1.5}, pair), "the strength must be a number above 0 and at most 1");
  EXPECT_EQ(refused(Demonstration{"x"}, pair), "a demonstration was given, but part \"better\" asks to compare");
  validate(Skip{"tired"}, pair);

  const auto ranking = with_form("ranking", {"a", "b", "c"});
  validate(Ranking{{{2}, {0, 1}}}, ranking);
  EXPECT_EQ(refused(Ranking{{{2}, {0}}}, ranking), "the ranking must name each of the 3 items once");
  EXPECT_EQ(refused(Ranking{{{2, 0, 1}, {}}}, ranking), "a group of the ranking is empty");
}

TEST(Forms, OnlyTheWorseOfTwoCanBeAskedFor) {
  EXPECT_TRUE(builtin_form("more_harmful").parts.at(0).worse);
  EXPECT_EQ(builtin_form(builtin_form("red_team").parts.at(0).turns).name, "more_harmful");
  auto form = builtin_form("best_of_n");
  form.parts.at(0).worse = true;
  EXPECT_EQ(error_of([&] { validate(form); }).fix(), "Set least_items and most_items to 2.");
}

TEST(Answers, HintsAreOpenedInOrderAndOnlyOpenOnesCanBeWrong) {
  auto question = with_form("hinted_comparison", {"the first", "the second"});
  question.hints = {{.text = "It says nothing.", .item = 1, .begin = 4, .end = 10}, {"b"}, {"c"}, {"d"}};
  validate(question);
  Answer answer = Comparison{.best = 1};
  validate(answer, question);  // without a look at any
  answer.details["hints"] = HintJudgement{.opened = 2, .wrong = {1}};
  validate(answer, question);
  EXPECT_EQ(to_json(answer_from_json(to_json(answer), "x")), to_json(answer));
  EXPECT_EQ(to_json(question_from_json(to_json(question), "x")), to_json(question));
  answer.details["hints"] = HintJudgement{.opened = 4, .wrong = {}};
  EXPECT_EQ(refused(answer, question), "4 hints were opened; there are 3 to open");
  for (const std::vector<int>& wrong : {std::vector{2}, {-1}, {0, 0}}) {
    answer.details["hints"] = HintJudgement{.opened = 2, .wrong = wrong};
    EXPECT_EQ(refused(answer, question), "only hints that were opened can be wrong, each once");
  }
  question.hints[0].end = 11;
  EXPECT_EQ(error_of([&] { validate(question); }).problem(),
            "a hint speaks of a passage that no item has: It says nothing.");
}

TEST(Answers, ADialogueAsAWholeIsJudgedByRules) {
  const auto question = with_form("red_team_review", {});
  Answer answer = Rating{{{0, "success", 4}}};
  answer.details["topics"] = RuleJudgement{{{0, "violence", Verdict::breach}, {0, "other", Verdict::breach}}};
  validate(answer, question);
  answer.details["topics"] =
      RuleJudgement{{{0, "violence", Verdict::breach}, {0, "other", Verdict::breach}, {0, "fraud", Verdict::breach}}};
  EXPECT_EQ(refused(answer, question), "more than 2 were chosen in part \"topics\"");
}

TEST(Answers, AllRequiredPartsAndNoOthers) {
  const auto question = with_form("gophercite", {"a", "b"});
  Answer answer = Comparison{.best = 1};
  EXPECT_EQ(refused(answer, question), "the part \"evidence\" is not answered");
  answer.details["evidence"] = EvidenceJudgement{{{0, Belief::yes, Belief::no}, {1, Belief::yes, Belief::yes}}};
  answer.details["reason"] = Demonstration{"only six words are in here"};
  EXPECT_EQ(refused(answer, question), "the text has too few words; at least 7 were asked for");
  answer.details["reason"] = Demonstration{"now there are exactly seven words here"};
  validate(answer, question);
  answer.details["mood"] = Demonstration{"good"};
  EXPECT_EQ(refused(answer, question), "\"mood\" is answered, but is no further part of the form");
}

TEST(Answers, SpansCountCharactersNotBytes) {
  const auto question = with_form("critique", {"héé"});
  validate(SpanCritique{{{0, 1, 3, "wrong", ""}}}, question);
  EXPECT_EQ(refused(SpanCritique{{{0, 1, 4, "wrong", ""}}}, question),
            "a mark from 1 to 4 does not lie in its item of 3 characters");
}

}  // namespace
}  // namespace rlhf::feedback
