#include "rlhf/feedback/record.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

using nlohmann::json;

json through_text(const json& record) { return json::parse(record.dump()); }

TEST(Record, QuestionsGoThere) {
  auto question = question_of("run/labels/v4/p1/0", {"good", "b\"a\nd", "é"});
  question.split = Split::heldout;
  question.shown = {2, 0, 1};
  question.answers = 3;
  question.guideline = "2";
  question.metadata = {{"gold", {1.5, 2, 3}}};
  question.prompt.messages = {{"user", "Say a word:"}, {"tool", "x", {{"name", "calculator"}}}};
  question.prompt.row = {{"topic", "words"}};
  const auto back = question_from_json(through_text(to_json(question)), "record");
  EXPECT_EQ(to_json(back), to_json(question));
  EXPECT_EQ(back.items.at(1).text, "b\"a\nd");
  EXPECT_EQ(back.shown, (std::vector<int>{2, 0, 1}));
  EXPECT_EQ(back.split, Split::heldout);
  EXPECT_EQ(back.prompt.messages.at(1).extra["name"], "calculator");
}

std::string any_text() { return *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)); }
int any_index() { return *rc::gen::inRange(0, 9); }

Feedback any_feedback() {
  switch (*rc::gen::inRange(0, 11)) {
    case 0:
      return Comparison{.best = any_index(),
                        .tie = *rc::gen::arbitrary<bool>(),
                        .strength = 0.25 * *rc::gen::inRange(1, 5),
                        .both_bad = *rc::gen::arbitrary<bool>(),
                        .incomparable = *rc::gen::arbitrary<bool>()};
    case 1:
      return Ranking{*rc::gen::arbitrary<std::vector<std::vector<int>>>()};
    case 2:
      return Rating{{{any_index(), any_text(), *rc::gen::arbitrary<double>()}, {any_index(), any_text(), 0.5}}};
    case 3:
      return RuleJudgement{
          {{any_index(), any_text(), *rc::gen::element(Verdict::ok, Verdict::breach, Verdict::unsure)}}};
    case 4:
      return EvidenceJudgement{{{any_index(), Belief::no, *rc::gen::element(Belief::no, Belief::yes, Belief::unsure)}}};
    case 5:
      return SpanCritique{{{any_index(), any_index(), any_index() + 9, any_text(), any_text()}}};
    case 6:
      return Correction{any_index(), any_text()};
    case 7:
      return Demonstration{any_text()};
    case 8:
      return Conversation{{{"user", any_text(), nullptr}}, {any_text()}};
    case 9:
      return Signals{any_text(), *rc::gen::arbitrary<std::int64_t>()};
    default:
      return Skip{any_text()};
  }
}

RC_GTEST_PROP(Record, FeedbackComesBackAsItWas, ()) {
  const auto feedback = any_feedback();
  const auto back = feedback_from_json(through_text(to_json(feedback)), "record");
  RC_ASSERT(back.index() == feedback.index());
  RC_ASSERT(to_json(back) == to_json(feedback));
}

RC_GTEST_PROP(Record, AnswersComeBackAsTheyWere, ()) {
  Answer answer = any_feedback();
  answer.details = {{"why", any_feedback()}, {any_text(), any_feedback()}};
  if (*rc::gen::arbitrary<bool>()) answer.confidence = 0.25 * any_index();
  answer.comment = any_text();
  answer.flags =
      *rc::gen::container<std::vector<std::string>>(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)));
  answer.active_seconds = any_index();
  answer.client = {{"replays", any_index()}};
  const auto back = answer_from_json(through_text(to_json(answer)), "record");
  RC_ASSERT(back.comment == answer.comment);
  RC_ASSERT(back.details.size() == answer.details.size());
  RC_ASSERT(to_json(back) == to_json(answer));
}

TEST(Record, ReadsVersion1) {
  auto record = to_json(question_of("q", {"a"}));
  record["version"] = 1;
  record["allow_tie"] = false;
  record["scale"] = {-1.0, 1.0};
  const auto question = question_from_json(record, "event 1");
  const auto& axis = question.form.parts.at(0).axes.at(0);
  EXPECT_EQ(axis.low, -1.0);
  EXPECT_EQ(axis.high, 1.0);
  const auto rated = answer_from_json({{"version", 1}, {"kind", "rating"}, {"value", 0.5}}, "event 2");
  EXPECT_EQ(std::get<Rating>(rated.said).values.at(0).value, 0.5);
  validate(rated, question);
  record = to_json(question_of("q", {"a", "b"}));
  record["version"] = 1;
  record["allow_tie"] = true;
  record["scale"] = {1.0, 7.0};
  EXPECT_TRUE(question_from_json(record, "event 3").form.parts.at(0).allow_tie);
}

RC_GTEST_PROP(Record, QuestionsComeBackAsTheyWere, ()) {
  const auto words = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::string>>(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127))));
  RC_PRE(words.size() <= 16u);
  auto question =
      question_of(*rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127))), words);
  question.answers = *rc::gen::inRange(1, 5);
  std::reverse(question.shown.begin(), question.shown.end());
  RC_ASSERT(to_json(question_from_json(through_text(to_json(question)), "record")) == to_json(question));
}

TEST(Record, ErrorsNameTheField) {
  const auto good = to_json(question_of("q", {"a", "b"}));
  const auto message = [](const json& record) -> std::string {
    return error_of([&] { question_from_json(record, "event 3"); }).what();
  };
  auto record = good;
  record.erase("items");
  EXPECT_EQ(message(record), "event 3: \"items\" is missing.");
  record = good;
  record["form"] = "triple";
  EXPECT_EQ(message(record), "event 3: there is no built-in form \"triple\". A newer program may know it.");
  record = good;
  record["shown"] = "01";
  EXPECT_EQ(message(record), "event 3: \"shown\" has the wrong type: string.");
  record = good;
  record["shown"] = {1, 1};
  EXPECT_EQ(message(record), "question q: the order shown must name each of the 2 items once.");
  record = good;
  record["version"] = 9;
  EXPECT_EQ(message(record), "event 3: the record has version 9; this program reads up to 2. Use a newer program.");
  EXPECT_EQ(message("text"), "event 3: the record is no object.");
  EXPECT_STREQ(
      error_of([] { feedback_from_json({{"kind", "shrug"}}, "event 4"); }).what(),
      "event 4: \"kind\" is \"shrug\"; one of comparison, ranking, rating, rule_judgement, evidence_judgement, "
      "span_critique, correction, demonstration, conversation, signals, hint_judgement, skip was expected.");
}

}  // namespace
}  // namespace rlhf::feedback
