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

Feedback any_feedback() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return Comparison{.best = *rc::gen::inRange<std::int64_t>(0, 9),
                        .tie = *rc::gen::arbitrary<bool>(),
                        .strength = 0.25 * *rc::gen::inRange(1, 9)};
    case 1:
      return Rating{.value = *rc::gen::arbitrary<double>()};
    case 2:
      return Skip{.reason = *rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'))};
    default:
      return Undo{.answer = *rc::gen::arbitrary<std::int64_t>()};
  }
}

RC_GTEST_PROP(Record, FeedbackComesBackAsItWas, ()) {
  const auto feedback = any_feedback();
  const auto back = feedback_from_json(through_text(to_json(feedback)), "record");
  RC_ASSERT(back.index() == feedback.index());
  RC_ASSERT(to_json(back) == to_json(feedback));
}

RC_GTEST_PROP(Record, QuestionsComeBackAsTheyWere, ()) {
  const auto words = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::string>>(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127))));
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
  EXPECT_EQ(message(record), "event 3: \"form\" is \"triple\"; one of pair, best_of_n, rating was expected.");
  record = good;
  record["shown"] = "01";
  EXPECT_EQ(message(record), "event 3: \"shown\" has the wrong type: string.");
  record = good;
  record["shown"] = {1, 1};
  EXPECT_EQ(message(record), "question q: the order shown must name each of the 2 items once.");
  record = good;
  record["version"] = 9;
  EXPECT_EQ(message(record), "event 3: the record has version 9; this program reads up to 1. Use a newer program.");
  EXPECT_EQ(message("text"), "event 3: the record is no object.");
  EXPECT_STREQ(error_of([] { feedback_from_json({{"version", 1}, {"kind", "shrug"}}, "event 4"); }).what(),
               "event 4: \"kind\" is \"shrug\"; comparison, rating, skip or undo was expected.");
}

}  // namespace
}  // namespace rlhf::feedback
