#include "rlhf/environments/text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/vector.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

constexpr std::int64_t a = 0, b = 1, stop = 2;

/// One turn of at most three tokens, worth a point for each that is the prompt's.
TextTask echo() {
  return {.vocabulary = {"a", "b", "."},
          .end = stop,
          .max_tokens = 3,
          .context = 5,
          .open = [](Random& random) { return Tokens{random.below(2)}; },
          .score =
              [](std::span<const std::int64_t> said, std::size_t opening) {
                double points = 0;
                for (std::size_t i = opening; i < said.size(); ++i) points += said[i] == said[0];
                return points;
              }};
}

/// The user says a or b each time, and leaves when a full stop is all he is told first.
TextTask dialogue() {
  auto task = echo();
  task.name = "dialogue";
  task.turns = 3;
  task.context = 20;
  task.reply = [](std::span<const std::int64_t> said, Random& random) -> std::optional<Tokens> {
    if (said.size() == 2 && said.back() == stop) return std::nullopt;
    return Tokens{random.below(2), stop};
  };
  return task;
}

TEST(Text, RewardComesAtTheEnd) {
  TextEnvironment world(echo());
  world.reset(0, {{"opening", {b}}});
  EXPECT_EQ(world.step(b).reward, 0);
  EXPECT_EQ(world.step(a).observation, Array(Tokens({b, b, a, 3, 3})));
  const auto last = world.step(b);  // the length ends it
  EXPECT_TRUE(last.terminated);
  EXPECT_EQ(last.reward, 2);
  EXPECT_EQ(world.text(), "b b a b\n");
  EXPECT_THROW(world.step(a), Error);
  world.reset(0, {{"opening", {a}}});
  EXPECT_TRUE(world.step(stop).terminated);
}

TEST(Text, AUserAnswersUntilTheTurnsAreOverOrHeLeaves) {
  TextEnvironment world(dialogue());
  world.reset(4, {{"opening", {a}}});
  EXPECT_TRUE(world.step(stop).terminated);
  world.reset(4, {{"opening", {a}}});
  world.step(b);
  auto step = world.step(stop);
  EXPECT_FALSE(step.terminated);
  ASSERT_EQ(world.said().size(), 5u);  // a b . ? .
  EXPECT_EQ(world.said().back(), stop);
  for (int i = 0; i < 3; ++i) step = world.step(b);  // the longest turn
  EXPECT_EQ(world.said().size(), 10u);
  step = world.step(stop);
  EXPECT_TRUE(step.terminated);
  EXPECT_EQ(step.reward, std::count(world.said().begin() + 1, world.said().end(), a));
}

TEST(Text, StateAndManyAreExact) {
  for (const auto& task : {echo(), dialogue()}) {
    TextEnvironment one(task), other(task);
    const auto played = roll_out(one, random_choice(one.spec()), 7);
    for (std::size_t t = 0; t < played.actions.size(); ++t) {
      other.set_state(played.states[t]);
      ASSERT_EQ(other.step(played.actions[t]).observation, played.observations[t + 1]);
      ASSERT_EQ(other.state(), played.states[t + 1]);
    }
    EXPECT_THROW(other.set_state("no"), Error);
    const auto many = each_of([&] { return std::make_unique<TextEnvironment>(task); }, {.count = 1});
    many->reset(2);
    one.reset(many->place(0).seed);
    EXPECT_TRUE(many->observations().equal(stacked(one.spec(), std::vector{one.observation()})));
  }
}

TEST(Text, SaysWhatATaskLacks) {
  auto task = echo();
  task.turns = 2;
  EXPECT_NE(error_of([&] { TextEnvironment{task}; }).where().find("reply"), std::string::npos);
  TextEnvironment world(echo());
  EXPECT_THROW(world.reset(0, {{"opening", {9}}}), Error);
  EXPECT_THROW(TextEnvironment{TextTask{}}, Error);
}

}  // namespace
}  // namespace rlhf::environments
