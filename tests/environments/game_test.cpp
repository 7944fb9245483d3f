// A game on a clock of the test's own: what comes out is what stepping the environment with the same actions gives.
#include <gtest/gtest.h>

#include "rlhf/core/seed.h"
#include "rlhf/environments/game.h"
#include "rlhf/environments/table.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

std::unique_ptr<Environment> made(const std::string& name, const nlohmann::json& settings = nullptr) {
  return make_environment(builtin_environments(), name, settings);
}

/// The episode again, by the environment alone.
void expect_same_as_alone(Environment& environment, const data::Trajectory& played) {
  EXPECT_EQ(played.environment, environment.spec().name);
  EXPECT_EQ(played.spec, hash_of(environment.spec()));
  ASSERT_EQ(played.observations.size(), played.actions.size() + 1);
  EXPECT_EQ(played.observations[0], environment.reset(played.seed).observation);
  for (std::size_t t = 0; t < played.actions.size(); ++t) {
    const auto step = environment.step(played.actions[t]);
    EXPECT_EQ(played.observations[t + 1], step.observation) << "after step " << t + 1;
    EXPECT_EQ(played.rewards[t], step.reward);
    const bool last = t + 1 == played.actions.size();
    EXPECT_EQ(last && played.terminated, step.terminated);
    EXPECT_EQ(last && played.truncated, step.truncated);
  }
}

std::vector<std::int64_t> choices_of(const data::Trajectory& trajectory) {
  std::vector<std::int64_t> choices;
  for (const auto& action : trajectory.actions) choices.push_back(std::get<std::int64_t>(action));
  return choices;
}

/// Steps all that is due until `until`.
void play_until(Game& game, double until) {
  while (const auto due = game.due()) {
    if (*due > until) return;
    game.advance(*due);
  }
}

TEST(Game, HeldKeysBecomeActionsAtTheRate) {
  const auto car = made("mountain_car", {{"max_steps", 12}});
  Game game(*car, {.rate = 10, .seed = 7});
  EXPECT_FALSE(game.turns());
  EXPECT_EQ(game.phase(), Game::Phase::ready);
  EXPECT_FALSE(game.due());  // nothing begins by itself
  game.press("ArrowRight", 5.0);
  play_until(game, 5.35);  // steps at 5.0, 5.1, 5.2, 5.3
  game.press("ArrowLeft", 5.35);
  play_until(game, 5.55);  // 5.4, 5.5
  game.release("ArrowLeft");
  play_until(game, 5.65);  // 5.6: the right one is still down
  game.release("ArrowRight");
  play_until(game, 5.75);  // 5.7: none is
  game.press("0", 5.76);
  game.release("0");       // between two steps: it counts for the next one
  play_until(game, 6.15);  // 5.8, then 5.9, 6.0, 6.1: the limit
  const auto ended = game.take_ended();
  ASSERT_EQ(ended.size(), 1);
  EXPECT_FALSE(ended[0].cut);
  EXPECT_EQ(ended[0].number, 1);
  EXPECT_EQ(choices_of(ended[0].trajectory), (std::vector<std::int64_t>{2, 2, 2, 2, 0, 0, 2, 1, 0, 1, 1, 1}));
  EXPECT_TRUE(ended[0].trajectory.truncated);
  EXPECT_EQ(ended[0].trajectory.seed, derive(7, {0}));
  EXPECT_EQ(game.episode_return(), -12);
  expect_same_as_alone(*made("mountain_car", {{"max_steps", 12}}), ended[0].trajectory);
}

TEST(Game, TheEndStaysForAMomentAndTheNextEpisodeWaitsForAKey) {
  const auto car = made("mountain_car", {{"max_steps", 2}});
  Game game(*car, {.rate = 10, .hold_seconds = 1.5});
  game.press("d", 0.0);
  play_until(game, 0.1);
  EXPECT_EQ(game.phase(), Game::Phase::over);
  EXPECT_EQ(game.step(), 2);
  game.press("a", 0.5);  // too late for this episode, too early for the next one
  play_until(game, 1.59);
  EXPECT_EQ(game.phase(), Game::Phase::over);
  play_until(game, 1.61);
  EXPECT_EQ(game.phase(), Game::Phase::ready);
  EXPECT_EQ(game.episode(), 2);
  EXPECT_EQ(game.step(), 0);
  play_until(game, 100.0);
  EXPECT_EQ(game.step(), 0);
  game.press("d", 100.0);
  play_until(game, 100.1);
  const auto ended = game.take_ended();
  ASSERT_EQ(ended.size(), 2);
  EXPECT_EQ(choices_of(ended[1].trajectory), (std::vector<std::int64_t>{2, 2}));
  EXPECT_NE(ended[0].trajectory.seed, ended[1].trajectory.seed);
  EXPECT_NE(ended[0].trajectory.observations[0], ended[1].trajectory.observations[0]);
}

TEST(Game, APauseStopsTimeAndSpeedChangesIt) {
  const auto car = made("mountain_car");
  Game game(*car, {.rate = 10});
  game.press("d", 0.0);
  play_until(game, 0.25);
  EXPECT_EQ(game.step(), 3);
  game.pause(true, 0.25);
  EXPECT_EQ(game.phase(), Game::Phase::paused);
  game.press("a", 3.0);  // keys do not end a pause
  play_until(game, 10.0);
  EXPECT_EQ(game.step(), 3);
  game.pause(false, 10.0);
  play_until(game, 10.11);
  EXPECT_EQ(game.step(), 4);
  EXPECT_EQ(*game.last_action(), Action(std::int64_t{0}));
  game.set_speed(2);
  game.advance(10.21);
  play_until(game, 10.41);  // 10.25, 10.3, 10.35, 10.4
  EXPECT_EQ(game.step(), 9);
  game.set_speed(1e9);
  EXPECT_EQ(game.speed(), 4);
}

TEST(Game, LateStepsAreNotMadeUpFor) {
  const auto car = made("mountain_car");
  Game game(*car, {.rate = 10});
  game.press("d", 0.0);
  EXPECT_TRUE(game.advance(0.0));
  EXPECT_TRUE(game.advance(5.0));  // the machine was busy
  EXPECT_FALSE(game.advance(5.05));
  EXPECT_TRUE(game.advance(5.11));
  EXPECT_TRUE(game.advance(5.21));  // a little late: the rate stays
  EXPECT_EQ(game.step(), 4);
}

TEST(Game, WithTurnsEachPressIsAStep) {
  const auto cliff = made("cliff_walking");
  Game game(*cliff, {});
  EXPECT_TRUE(game.turns());
  EXPECT_FALSE(game.due());
  game.press("ArrowUp", 0);
  game.release("ArrowUp");
  for (int i = 0; i < 11; ++i) {  // all before it comes to step: none is lost
    game.press("d", 0);
    game.release("d");
  }
  game.press("ArrowDown", 0);  // and stays down: that is one step
  play_until(game, 1.0);
  EXPECT_EQ(game.phase(), Game::Phase::over);
  const auto ended = game.take_ended();
  ASSERT_EQ(ended.size(), 1);
  EXPECT_TRUE(ended[0].trajectory.terminated);
  EXPECT_EQ(game.episode_return(), -13);
  EXPECT_EQ(ended[0].trajectory.actions.size(), 13);
  expect_same_as_alone(*made("cliff_walking"), ended[0].trajectory);
}

TEST(Game, StartingAgainCutsTheEpisode) {
  const auto car = made("mountain_car");
  Game game(*car, {.rate = 10});
  game.restart();  // nothing was played: another start, no episode
  EXPECT_TRUE(game.take_ended().empty());
  EXPECT_EQ(game.episode(), 1);
  game.press("d", 0.0);
  play_until(game, 0.25);
  game.restart();
  const auto ended = game.take_ended();
  ASSERT_EQ(ended.size(), 1);
  EXPECT_TRUE(ended[0].cut);
  EXPECT_FALSE(ended[0].trajectory.terminated || ended[0].trajectory.truncated);
  EXPECT_EQ(ended[0].trajectory.actions.size(), 3);
  EXPECT_EQ(game.episode(), 2);
  EXPECT_EQ(game.phase(), Game::Phase::ready);
  expect_same_as_alone(*made("mountain_car"), ended[0].trajectory);
}

TEST(Game, EndsEpisodesThatTakeTooLong) {
  const auto car = made("mountain_car");
  Game game(*car, {.rate = 10, .max_steps = 3});
  game.press("d", 0.0);
  play_until(game, 0.25);
  const auto ended = game.take_ended();
  ASSERT_EQ(ended.size(), 1);
  EXPECT_FALSE(ended[0].cut || ended[0].trajectory.terminated || ended[0].trajectory.truncated);
}

TEST(Game, LosingTheKeysLetsAllOfThemGo) {
  const auto pendulum = made("pendulum");
  Game game(*pendulum, {.rate = 10});
  game.press("ArrowLeft", 0.0);
  play_until(game, 0.05);
  EXPECT_EQ(std::get<std::vector<float>>(*game.last_action())[0], -2);
  game.release_all();
  play_until(game, 0.15);
  EXPECT_EQ(std::get<std::vector<float>>(*game.last_action())[0], 0);
}

TEST(Game, TheWorldSaysWhetherItWaits) {
  for (const char* name :
       {"grid", "taxi", "frozen_lake", "cliff_walking", "key_treasure", "tampering_grid", "hazard_map", "ledger"}) {
    const auto world = made(name);
    EXPECT_TRUE(Game(*world, {}).turns()) << name;
  }
  for (const char* name : {"cart_pole", "mountain_car", "pendulum", "acrobot", "mini_bowl", "point_chase"}) {
    const auto world = made(name);
    EXPECT_FALSE(Game(*world, {}).turns()) << name;
  }
  const auto pole = made("cart_pole"), pendulum = made("pendulum"), grid = made("grid");
  EXPECT_EQ(Game(*pole, {}).rate(), 30);  // 50 in its own time: more than a person can follow
  EXPECT_NEAR(Game(*pendulum, {}).rate(), 20, 1e-9);
  EXPECT_TRUE(Game(*pole, {.turns = true}).turns());
  EXPECT_FALSE(Game(*grid, {.turns = false}).turns());
}

TEST(Game, SaysWhichSettingIsWrong) {
  const auto car = made("mountain_car");
  EXPECT_EQ(error_of([&] { Game(*car, {.rate = 0}); }).where(), "rate");
  EXPECT_EQ(error_of([&] { Game(*car, {.hold_seconds = -1}); }).where(), "hold_seconds");
  EXPECT_EQ(error_of([&] { Game(*car, {.max_steps = 0}); }).where(), "max_steps");
  EXPECT_EQ(error_of([&] { Game(*car, {.idle = "fly"}); }).where(), "idle");
}

}  // namespace
}  // namespace rlhf::environments
