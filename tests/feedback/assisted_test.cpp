#include "rlhf/feedback/assisted.h"

#include <gtest/gtest.h>

#include "rlhf/core/error.h"
#include "rlhf/feedback/assistance_graph.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::feedback {
namespace {

Question pair_question(const std::string& id) {
  Question question{.id = id};
  question.items = {{.text = "ab"}, {.text = "cd"}};
  question.shown = {0, 1};
  return question;
}

const std::vector<Hint> two_hints = {{.text = "a is wrong", .item = 0, .begin = 0, .end = 1}, {.text = "d is wrong", .item = 1}};

TEST(Assisted, TheStoreKnowsWhoHelpedAndWhatWasOpened) {
  ScratchFolder scratch;
  auto store = Store::open((scratch.path() / "feedback.db").string());
  auto aided = pair_question("aided"), alone = pair_question("alone"), plain = pair_question("plain");
  give_help(aided, "pair-7", {"finder", 3}, two_hints, 2);
  give_help(alone, "pair-7", {}, {}, 0);
  EXPECT_EQ(alone.form.name, "pair");
  store.publish(std::vector<Question>{aided, alone, plain});
  const Annotator annotator{"ann", Source::human};
  for (int i = 0; i < 3; ++i) {
    const auto assignment = store.lease(annotator, std::chrono::seconds(60));
    ASSERT_TRUE(assignment);
    Answer answer = Comparison{.best = 1};
    if (assignment->question.id == "aided") answer.details["hints"] = HintJudgement{.opened = 2, .wrong = {1}};
    answer.active_seconds = 4;
    store.answer(*assignment, answer);
  }
  const auto read = read_assisted(store);
  ASSERT_EQ(read.size(), 2u);  // the plain one was not asked with give_help
  const auto& one = read[0].question == "aided" ? read[0] : read[1];
  EXPECT_EQ(one.pair, "pair-7");
  EXPECT_EQ(one.helper.name, "finder");
  EXPECT_EQ(one.helper.version, 3);
  EXPECT_EQ(one.offered, 2);
  EXPECT_EQ(one.opened, 2);
  EXPECT_EQ(one.wrong, std::vector<int>{1});
  EXPECT_EQ(one.said.best, 1);
}

TEST(Assisted, NoMoreHintsThanTheBudgetMayBeOpened) {
  auto question = pair_question("q");
  give_help(question, "p", {"finder", 1}, two_hints, 1);
  EXPECT_EQ(question.form.name, "hinted_comparison_1");
  Answer answer = Comparison{.best = 0};
  answer.details["hints"] = HintJudgement{.opened = 1};
  EXPECT_NO_THROW(validate(answer, question));
  answer.details["hints"] = HintJudgement{.opened = 2};
  EXPECT_THROW(validate(answer, question), Error);
  EXPECT_THROW(give_help(question, "p", {"finder", 1}, two_hints, 3), Error);
}

TEST(Assisted, ABadHelpersAnswersCanBeLeftOut) {
  auto good = pair_question("a"), bad = pair_question("b"), alone = pair_question("c");
  give_help(good, "p", {"finder", 2}, two_hints, 2);
  give_help(bad, "p", {"finder", 1}, two_hints, 2);
  const auto keep = [](const Helper& helper) { return helper.version >= 2; };
  EXPECT_TRUE(counts(good, keep));
  EXPECT_FALSE(counts(bad, keep));
  EXPECT_TRUE(counts(alone, keep));
}

AssistanceGraph inspection() {
  return {.name = "inspection",
          .nodes = {{"route", "which is better", "route", "comparison", "person"},
                    {"cells", "which cells to open", "route", "cells", "finder"},
                    {"look", "what is there", "cell", "hazards", "person"}},
          .edges = {{"cells", "look"}, {"look", "route"}}};
}

TEST(AssistanceGraph, RunsFromTheLeavesUp) {
  std::vector<std::string> asked;
  const auto answers = run(inspection(), [&](const AssistanceNode& node, const nlohmann::json& fed) {
    asked.push_back(node.name);
    return nlohmann::json(fed.empty() ? 1 : fed.begin()->get<int>() * 10);
  });
  EXPECT_EQ(asked, (std::vector<std::string>{"cells", "look", "route"}));
  EXPECT_EQ(answers.at("route"), 100);
}

TEST(AssistanceGraph, IsTheSameAfterWritingAndReading) {
  const auto json = to_json(inspection());
  EXPECT_EQ(to_json(assistance_graph_from_json(json, "test")), json);
}

TEST(AssistanceGraph, RefusesWhatCannotBeEvaluated) {
  auto circle = inspection();
  circle.edges.emplace_back("route", "cells");
  EXPECT_THROW(validate(circle), Error);
  auto nobody = inspection();
  nobody.nodes[1].answerer.clear();
  EXPECT_THROW(validate(nobody), Error);
  auto two_roots = inspection();
  two_roots.edges.pop_back();
  EXPECT_THROW(validate(two_roots), Error);
  auto nowhere = inspection();
  nowhere.edges.emplace_back("look", "roof");
  EXPECT_THROW(validate(nowhere), Error);
}

}  // namespace
}  // namespace rlhf::feedback
