#include <gtest/gtest.h>

#include <set>

#include "recipes/recursive_reward_modeling/people.h"
#include "rlhf/core/error.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::recipes {
namespace {

/// Looks at one place of each output.
Condition looks_at(const std::string& name, const std::string& helper, std::int64_t place) {
  return {.name = name, .helper = {helper, 1}, .look = [place](const Output& output, Random&) {
            const std::int64_t places[] = {place};
            return findings_at(output, places, "a hazard", "clear");
          }};
}
const auto aided = looks_at("helper", "finder", 0), unaided = looks_at("alone", "", 2);

/// The first is better, 20 against 17, but seems worse, 20 against 22. The helper finds the second one's fault in the
/// pairs 0 and 1 and misses it in the pairs 2 and 3.
std::vector<OutputPair> four_pairs() {
  std::vector<OutputPair> pairs;
  for (int i = 0; i < 4; ++i) {
    Output first{.text = "first", .visible = 20, .truth = 20}, second{.text = "second", .visible = 22, .truth = 17};
    for (int place = 0; place < 3; ++place) {
      first.places.push_back({.name = "A1"});
      second.places.push_back({.name = "B1", .fault = place == (i < 2 ? 0 : 1)});
    }
    pairs.push_back({first, second});
  }
  return pairs;
}

std::vector<feedback::Question> questions_for(const std::vector<std::string>& names) {
  return people_questions(four_pairs(), aided, unaided, {.seed = 3, .people = {.names = names}}, 5, "Which one?");
}

bool has_help(const feedback::Question& question) { return !feedback::helper_of(question)->name.empty(); }

TEST(People, EachIsHelpedWithARandomHalfAndCannotTell) {
  std::map<std::string, std::set<std::string>> helped;
  std::set<std::string> ids;
  for (const auto& question : questions_for({"anna", "ben"})) {
    ids.insert(question.id);
    if (has_help(question)) helped[question.reserved_for].insert(question.prompt.id);
    EXPECT_EQ(question.form.name, "hinted_comparison_2");
    EXPECT_EQ(question.hints.size(), 2u);
    EXPECT_EQ(question.id, "people-3/" + question.reserved_for + "/" + question.prompt.id);
    EXPECT_EQ(question.prompt.text, "Which one?");
  }
  EXPECT_EQ(ids.size(), 8u);
  EXPECT_EQ(helped["anna"].size(), 2u);
  EXPECT_EQ(helped["ben"].size(), 2u);
  helped["anna"].merge(helped["ben"]);
  EXPECT_EQ(helped["anna"].size(), 4u);  // every pair is judged both ways
}

/// With help: the second where the hints show nothing, the first where they show its fault. Without: wrong about the
/// pairs 0 and 1, right about 2, undecided about 3.
feedback::Answer scripted(const feedback::Question& question) {
  const auto pair = question.prompt.id.back() - '0';
  const bool help = has_help(question);
  feedback::Answer answer = feedback::Comparison{.best = help ? (pair < 2 ? 0 : 1) : (pair == 2 ? 0 : 1)};
  if (!help && pair == 3) answer = feedback::Comparison{.tie = true};
  if (help) answer.details["hints"] = feedback::HintJudgement{.opened = 2};
  answer.active_seconds = help ? 6 : 10;
  return answer;
}

TEST(People, WhatTheySaidWorkedByHand) {
  ScratchFolder scratch;
  auto store = feedback::Store::open((scratch / "people.db").string());
  store.publish(questions_for({"anna", "ben"}));
  EXPECT_EQ(store.publish(questions_for({"anna", "ben"})), 0);  // a resumed run asks the same
  for (const char* name : {"anna", "ben"})
    while (const auto assignment = store.lease({name, feedback::Source::human}, std::chrono::seconds(60))) {
      EXPECT_EQ(assignment->question.reserved_for, name);
      store.answer(*assignment, scripted(assignment->question));
    }
  const auto reports = people_reports(store, 3);
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports.at("anna").judgements, 4);
  const auto& all = reports.at("everybody");
  EXPECT_EQ(all.judgements, 8);
  EXPECT_EQ(all.undecided, 1);
  EXPECT_DOUBLE_EQ(all.opened, 0.5);
  EXPECT_DOUBLE_EQ(all.assistance.unaided->value, 0.25);
  EXPECT_DOUBLE_EQ(all.assistance.aided->value, 0.5);
  // Wilson: 2 of 4 is in [0.150036, 0.849964], 1 of 4 in [0.045587, 0.699358];
  // 0.25 - sqrt(0.349964^2 + 0.449358^2) and 0.25 + sqrt(0.349964^2 + 0.204413^2)
  EXPECT_DOUBLE_EQ(all.assistance.difference->value, 0.25);
  EXPECT_NEAR(all.assistance.difference->low, -0.319559, 1e-5);
  EXPECT_NEAR(all.assistance.difference->high, 0.655290, 1e-5);
  EXPECT_DOUBLE_EQ(all.assistance.uplift->mean, 0.25);
  EXPECT_EQ(all.assistance.help_wrong, 2);
  EXPECT_DOUBLE_EQ(*all.assistance.over_reliance, 0.5);  // misled twice of twice; alone, one of these two is wrong
  EXPECT_EQ(all.assistance.flipped, 1);
  EXPECT_DOUBLE_EQ(*all.assistance.seconds_saved, 4.0);
  EXPECT_TRUE(people_reports(store, 4).empty());  // another seed's study
}

TEST(People, HaveToBeNamed) {
  const RecursiveConfig nobody{.studies = {"people"}}, twice{.people = {.names = {"anna", "anna"}}};
  EXPECT_THROW(nobody.validate(), Error);
  EXPECT_THROW(twice.people.validate(), Error);
}

}  // namespace
}  // namespace rlhf::recipes
