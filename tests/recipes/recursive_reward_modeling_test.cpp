#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "recipes/recursive_reward_modeling/conditions.h"
#include "recipes/recursive_reward_modeling/depth.h"
#include "recipes/recursive_reward_modeling/finder.h"
#include "recipes/recursive_reward_modeling/inspector.h"
#include "recipes/recursive_reward_modeling/ledger.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::recipes {
namespace {

/// Ten places of which the second feature says, mostly, which are faulty.
Output page(Random& random) {
  Output output{.text = "page"};
  for (int i = 0; i < 10; ++i) {
    const bool fault = random.uniform() < 0.3, says = random.uniform() < 0.8 ? fault : !fault;
    output.places.push_back({.name = "p" + std::to_string(i), .features = {1.0f, says ? 1.0f : 0.0f}, .fault = fault});
    output.truth -= fault ? 5.0 : 0.0;
  }
  return output;
}

feedback::Question question(const std::string& id, double first, double second, std::vector<int> faults) {
  Output outputs[2] = {{.text = "a", .visible = first}, {.text = "b", .visible = second}};
  auto asked = question_of("test", id, outputs[0], outputs[1], {.name = "shown"}, 1);
  for (std::size_t i = 0; i < faults.size(); ++i) asked.hints.push_back({.text = "hint", .item = static_cast<int>(i % 2)});
  asked.metadata["shown"]["faults"] = faults;
  return asked;
}

TEST(Evaluator, TakesOffWhatTheFaultsFoundCost) {
  const auto evaluator = make_evaluator({.error_rate = 0, .fault_cost = 5});
  const auto best = [&](const feedback::Question& asked) {
    return std::get<feedback::Comparison>(evaluator->answer(asked).said).best;
  };
  EXPECT_EQ(best(question("a", 18, 20, {})), 1);
  EXPECT_EQ(best(question("b", 18, 20, {0, 1})), 0);  // 18 against 15
  EXPECT_EQ(best(question("c", 18, 20, {1, 1})), 1);
  EXPECT_DOUBLE_EQ(shown_difference(question("d", 18, 20, {0, 1}), 5), 3);
}

TEST(Evaluator, ErrsAsOftenAsItIsToldAndMarksHintsThatLedNowhere) {
  const auto evaluator = make_evaluator({.error_rate = 0.05, .fault_cost = 5});
  int wrong = 0;
  for (int i = 0; i < 4000; ++i)
    wrong += std::get<feedback::Comparison>(evaluator->answer(question(std::to_string(i), 20, 18, {})).said).best == 1;
  EXPECT_NEAR(wrong / 4000.0, 0.05, 0.012);
  const auto answer = evaluator->answer(question("hints", 20, 18, {0, 1, 1, 0}));
  const auto& hints = std::get<feedback::HintJudgement>(answer.details.at("hints"));
  EXPECT_EQ(hints.opened, 4);
  EXPECT_EQ(hints.wrong, (std::vector<int>{0, 3}));
}

TEST(Finder, LearnsWhereToLookFromJudgementsOfProposals) {
  at::set_num_threads(1);  // matrices this small are done before a second thread wakes up
  ScratchFolder scratch;
  auto store = feedback::Store::open((scratch / "feedback.db").string());
  Random random(7);
  std::vector<Output> practice, fresh;
  for (int i = 0; i < 100; ++i) practice.push_back(page(random));
  for (int i = 0; i < 200; ++i) fresh.push_back(page(random));
  Finder finder(2, {.labels = 200, .seed = 1});
  const auto found = [&](auto choose) {
    double faults = 0;
    Random chance(3);
    for (const auto& output : fresh)
      for (const auto place : choose(output, chance)) faults += output.places[static_cast<std::size_t>(place)].fault;
    return faults / 200;
  };
  const auto lots = found([](const Output& output, Random& chance) { return drawn_by_lot(output, 3, chance); });
  ASSERT_TRUE(finder.train(practice, store, 0.05, [] { return false; }));
  const auto helped = found([&](const Output& output, Random& chance) { return finder.propose(output, 3, chance); });
  const auto turned = found([&](const Output& output, Random& chance) { return finder.propose(output, 3, chance, true); });
  EXPECT_GT(helped, 1.4 * lots);
  EXPECT_LT(turned, 0.7 * lots);
}

TEST(Inspector, PlacesLieWhereTheTextSays) {
  const auto subject = make_inspector({.map = 1}, 1);
  const auto outputs = subject->practice(16, 3);
  ASSERT_EQ(outputs.size(), 16u);
  for (const auto& output : outputs) {
    double faults = 0;
    for (const auto& place : output.places) {
      faults += place.fault;
      EXPECT_EQ(place.end, place.begin + 1);
      EXPECT_EQ(std::ssize(place.features), subject->features());
    }
    EXPECT_LE(output.truth, output.visible - 5 * faults + 1e-9);  // a hazard crossed twice costs twice
  }
}

TEST(Ledger, ClerksErrAsOftenAsTheyAreToldTo) {
  const auto right = [](const ClerkConfig& clerk) { return mean_truth(make_ledger(clerk, 1)->practice(500, 3)); };
  EXPECT_DOUBLE_EQ(right({.forgets_carry = 0, .careless = 0}), 12);
  // A character is wrong in 0.9 of 0.02; 45 of 100 pairs of unit digits carry: 12 x 0.982^3 x (1 - 0.45 x 0.15)
  EXPECT_NEAR(right({}), 10.6, 0.15);
  EXPECT_NEAR(right({.forgets_carry = 0.5}), 8.8, 0.2);
}

/// Share of pairs of pages that are judged rightly when true hints show wrong lines first, two of a page.
double right_with_true_hints(double forgets_carry) {
  const auto subject = make_ledger({.forgets_carry = forgets_carry}, 1);
  const auto pages = subject->practice(1200, 3);
  const auto condition = condition_of("oracle_hints", *subject, {.budget = 2}, nullptr);
  const auto evaluator = make_evaluator({.error_rate = 0, .fault_cost = subject->fault_cost()});
  double right = 0, pairs = 0;
  for (std::size_t i = 0; i + 1 < pages.size(); i += 2) {
    const auto &first = pages[i], &second = pages[i + 1];
    if (first.truth == second.truth) continue;
    const auto question = question_of("test", std::to_string(i), first, second, condition, 1);
    const auto said = std::get<feedback::Comparison>(evaluator->answer(question).said);
    right += (said.best == 0) == (first.truth > second.truth);
    ++pairs;
  }
  return right / pairs;
}

TEST(Ledger, TrueHintsHelpWhereWrongLinesAreAsFewAsMayBeWorkedOut) {
  EXPECT_GT(right_with_true_hints(0.15), 0.85);
  EXPECT_LT(right_with_true_hints(0.5), 0.65);  // two wrong lines are shown of either page: little better than a coin
}

TEST(Depth, WithoutErrorsTheThirdLevelSaysWhatTheSecondDoes) {
  Random random(5);
  const auto output = page(random);
  const Finder finder(2, {.seed = 1});
  const auto subject = make_inspector({.map = 1}, 1);
  const auto faults_at = [&](int levels) {
    const auto condition = depth_condition({.levels = levels}, *subject, {}, finder);
    Random chance(9);
    int faults = 0;
    for (const auto& finding : condition.look(output, chance)) faults += finding.faults;
    return faults;
  };
  EXPECT_EQ(faults_at(2), faults_at(3));
  EXPECT_EQ(graph_of(3).nodes.size(), 10u);  // four times cells and segment, their sum, the person
}

}  // namespace
}  // namespace rlhf::recipes
