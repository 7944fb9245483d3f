// What the answers say about those who gave them.
#include "rlhf/feedback/quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/seed.h"
#include "tests/feedback/events.h"

namespace rlhf::feedback {
namespace {

Quality after(const Events& events) {
  Quality quality;
  for (const auto& event : events.all()) quality.feed(event);
  return quality;
}

AnnotatorReport report_of(const Quality& quality, const std::string& name) {
  for (auto& each : quality.annotators())
    if (each.record.name == name) return each;
  ADD_FAILURE() << "no report of " << name;
  return {};
}

/// Two hundred pairs, the better item being the longer one. Ada and Bob are right nine times of ten, Cat picks the left one,
/// Dan tosses a coin. Every fifth question is a test.
Events four_annotators() {
  Events events;
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const int good = random.uniform() < 0.5 ? 0 : 1;
    auto question = question_of("q" + std::to_string(i), {"bad", "bad"});
    question.items[static_cast<std::size_t>(good)].text = "a good answer " + std::to_string(i);
    if (random.uniform() < 0.5) question.shown = {1, 0};
    if (i % 5 == 0) question.gold = std::make_shared<const Answer>(Comparison{.best = good});
    events.ask(question);
    for (const char* name : {"ada", "bob"}) events.pick(question.id, name, random.uniform() < 0.9 ? good : 1 - good);
    events.pick(question.id, "cat", question.shown[0]);
    events.pick(question.id, "dan", random.uniform() < 0.5 ? 0 : 1, 0.05);
    events.now += 60.0;
  }
  return events;
}

TEST(Quality, AgreementByHand) {
  Events events;
  for (const char* id : {"q0", "q1", "q2", "q3"}) events.ask(question_of(id, {"good", "bad"}));
  events.pick("q0", "ada", 0), events.pick("q0", "bob", 0);
  events.pick("q1", "ada", 1), events.pick("q1", "bob", 1);
  events.pick("q2", "ada", 0), events.pick("q2", "bob", 1);
  events.pick("q3", "ada", 0);
  const auto& report = after(events).agreement();
  EXPECT_NEAR(report.raw->value, 2.0 / 3.0, 1e-12);
  ASSERT_EQ(report.cohen.size(), 1u);
  EXPECT_EQ(report.cohen[0].n, 3);
  EXPECT_NEAR(report.cohen[0].kappa, (2.0 / 3.0 - 4.0 / 9.0) / (1.0 - 4.0 / 9.0), 1e-12);  // shares 2/3, 1/3 and 1/3, 2/3
  EXPECT_NEAR(report.krippendorff->value, 1.0 - 5.0 * (2.0 / 1.0) / 18.0, 1e-12);  // 2 unequal pairs of 6 answers, 3 a side
  EXPECT_FALSE(report.with_gold);
  EXPECT_FALSE(report.kendall);
}

TEST(Quality, TellsAnnotatorsApart) {
  const auto quality = after(four_annotators());
  const auto ada = report_of(quality, "ada"), cat = report_of(quality, "cat"), dan = report_of(quality, "dan");
  EXPECT_EQ(ada.answers, 200);
  EXPECT_NEAR(ada.gold_accuracy->value, 0.9, 0.12);
  EXPECT_EQ(ada.gold_accuracy->n, 40);
  EXPECT_THAT(ada.warnings, testing::IsEmpty());
  EXPECT_GT(*ada.reliability, 0.8);
  EXPECT_DOUBLE_EQ(cat.left_share->value, 1.0);
  EXPECT_GT(*cat.side, 1.0);
  EXPECT_THAT(cat.warnings, testing::Contains(testing::HasSubstr("picks by place")));
  EXPECT_LT(*dan.reliability, 0.65);
  EXPECT_GE(dan.gold_verdict, statistics::GoldVerdict::pause);
  EXPECT_THAT(dan.warnings, testing::Contains(testing::HasSubstr("too fast")));
  EXPECT_DOUBLE_EQ(*ada.median_seconds, 5.0);
  EXPECT_GT(ada.longer_share->value, 0.8);  // the better one is the longer one here
  EXPECT_GT(ada.agreement->value, dan.agreement->value);
  EXPECT_EQ(ada.fatigue.front().answers, 15);
}

TEST(Quality, UndoRevisionAndErasureAreFollowed) {
  Events events;
  events.ask(question_of("q0", {"good", "bad"}));
  const auto first = events.pick("q0", "ada", 0);
  events.pick("q0", "bob", 1);
  EXPECT_DOUBLE_EQ(after(events).agreement().raw->value, 0.0);
  const auto second = events.answer("q0", {"ada", Source::human}, Answer{Comparison{.best = 1}}, first);
  EXPECT_DOUBLE_EQ(after(events).agreement().raw->value, 1.0);
  EXPECT_EQ(report_of(after(events), "ada").answers, 1);
  events.undo("q0", "ada", second);
  EXPECT_FALSE(after(events).agreement().raw);
  events.add({.body = Redaction{.events = 1, .reason = "asked"}, .annotator = {"bob", Source::human}});
  EXPECT_TRUE(after(events).annotators().empty());
  EXPECT_FALSE(after(events).stale());
  events.add({.body = Redaction{.events = 1, .reason = "asked"}});
  EXPECT_TRUE(after(events).stale());
}

TEST(Quality, ModelsAreComparedWithPeopleButNotCountedAmongThem) {
  Events events;
  for (const char* id : {"q0", "q1"}) events.ask(question_of(id, {"good", "bad"}));
  for (const char* id : {"q0", "q1"}) events.pick(id, "ada", 0);
  events.answer("q0", {"judge", Source::model}, Answer{Comparison{.best = 0}});
  events.answer("q1", {"judge", Source::model}, Answer{Comparison{.best = 1}});
  auto quality = after(events);
  quality.scores("q0", std::vector<double>{0.3, 0.1});
  quality.scores("q1", std::vector<double>{0.7, 0.1});
  EXPECT_FALSE(quality.agreement().raw);
  EXPECT_DOUBLE_EQ(quality.agreement().with_model->value, 0.5);
  EXPECT_DOUBLE_EQ(quality.agreement().with_reward_model->value, 1.0);
}

TEST(Quality, AQuestionThatComesBackShowsConsistency) {
  Events events;
  auto first = question_of("q0", {"good", "bad"}), again = question_of("q0 again", {"bad", "good"});
  again.prompt = first.prompt;
  events.ask(first), events.ask(again);
  events.pick("q0", "ada", 0), events.pick("q0 again", "ada", 1);  // the same text
  events.pick("q0", "bob", 0), events.pick("q0 again", "bob", 0);
  const auto quality = after(events);
  EXPECT_DOUBLE_EQ(report_of(quality, "ada").consistency->value, 1.0);
  EXPECT_DOUBLE_EQ(report_of(quality, "bob").consistency->value, 0.0);
}

TEST(Quality, RankingsAndRatingsHaveTheirOwnMeasures) {
  Events events;
  auto ranking = question_of("k", {"a", "b", "c"});
  ranking.form = builtin_form("ranking");
  auto rating = question_of("r", {"a"});
  events.ask(ranking), events.ask(rating);
  events.ask([&] { auto other = rating; return other.id = "r2", other; }());
  for (const char* name : {"ada", "bob"}) {
    events.answer("k", {name, Source::human}, Answer{Ranking{{{1}, {0}, {2}}}});
    events.answer("r", {name, Source::human}, Answer{Rating{{{.item = 0, .axis = "rating", .value = 2.0}}}});
    events.answer("r2", {name, Source::human}, Answer{Rating{{{.item = 0, .axis = "rating", .value = 6.0}}}});
  }
  const auto& report = after(events).agreement();
  EXPECT_DOUBLE_EQ(report.kendall->value, 1.0);
  ASSERT_EQ(report.aspects.size(), 1u);
  EXPECT_EQ(report.aspects[0].name, "rating");
  EXPECT_DOUBLE_EQ(report.aspects[0].alpha->value, 1.0);
}

TEST(Quality, DisagreementsComeMostEvenFirst) {
  Events events;
  for (const char* id : {"alike", "two to one", "even"}) events.ask(question_of(id, {"good", "bad"}));
  for (const char* id : {"alike", "two to one", "even"}) events.pick(id, "ada", 0), events.pick(id, "bob", id[0] == 'e');
  events.pick("two to one", "cat", 1);
  const auto found = after(events).disagreements(10);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].question, "even");
  EXPECT_EQ(found[1].question, "two to one");
  EXPECT_EQ(after(events).disagreements(1).size(), 1u);
}

TEST(Quality, ReportsAreTheJsonOfTheManual) {
  const auto quality = after(four_annotators());
  const auto agreement = to_json(quality.agreement());
  for (const char* key : {"raw", "cohen", "fleiss", "krippendorff", "with_gold", "with_reward_model", "reference", "over_time"})
    EXPECT_TRUE(agreement.contains(key)) << key;
  EXPECT_TRUE(agreement["with_reward_model"].is_null());
  EXPECT_NEAR(agreement["raw"]["value"].get<double>(), quality.agreement().raw->value, 1e-12);
  const std::vector<AnnotatorRecord> listed = {{.name = "ada", .standing = Standing::paused, .quota = 9}, {.name = "new"}};
  const auto annotators = quality.annotators(listed);
  ASSERT_EQ(annotators.size(), 5u);
  const auto ada = to_json(annotators[0]);
  EXPECT_EQ(ada["standing"], "paused");
  EXPECT_EQ(ada["quota"], 9);
  for (const char* key : {"name", "source", "answers", "skips", "median_seconds", "agreement", "gold_accuracy", "reliability",
                          "left_share", "longer_share", "warnings", "last_at", "passed"})
    EXPECT_TRUE(ada.contains(key)) << key;
  EXPECT_EQ(to_json(annotators[4])["answers"], 0);
}

}  // namespace
}  // namespace rlhf::feedback
