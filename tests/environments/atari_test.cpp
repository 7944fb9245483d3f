#include "rlhf/environments/atari.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/core/files.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

/// Skips where `make ale` was not called: the worker is no part of this repository's build.
class Atari : public testing::Test {
 protected:
  void SetUp() override {
    try {
      atari_program({});
    } catch (const Error& error) {
      GTEST_SKIP() << error.problem() << ". " << error.fix();
    }
  }
  static std::unique_ptr<VectorEnvironment> make(const nlohmann::json& settings, std::int64_t count = 1) {
    return make_vector(builtin_environments(), "atari", settings, {.count = count});
  }
};

std::string digest(const Tensor& seen) {
  const auto plain = seen.contiguous();
  return sha256({static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()}).substr(0, 16);
}

/// See tests/reference/environments/make_atari.py: every pixel of every picture, every reward and end.
TEST_F(Atari, IsSeenAsByAnotherPipelineToTheBit) {
  const auto cases =
      nlohmann::json::parse(read_file(RLHF_SOURCE_DIR "/tests/reference/environments/atari.json")).at("cases");
  for (const auto& one : cases) {
    nlohmann::json settings = one["settings"];
    const std::uint64_t seed = settings.value("seed", 0);
    settings.erase("seed");
    settings["game"] = one["game"];
    if (!settings.contains("noop_max")) settings["noop_max"] = 1;
    if (settings.contains("mask")) settings["mask"] = settings["mask"][0];
    const auto where = settings.dump();
    const auto& actions = one["actions"];
    if (seed != 0) {  // chance counts: a single one takes the very seed
      const auto alone = make_environment(builtin_environments(), "atari", settings);
      auto seen = alone->reset(seed).observation;
      for (std::size_t t = 0;; ++t) {
        const auto& bytes = std::get<std::vector<std::uint8_t>>(seen);
        ASSERT_EQ(sha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).substr(0, 16), one["seen"][t])
            << where << " " << t;
        if (t == actions.size()) break;
        seen = alone->step(actions[t].get<std::int64_t>()).observation;
      }
      continue;
    }
    const auto world = make(settings);
    ASSERT_EQ(digest(world->reset(1)), one["seen"][0]) << where;
    std::vector<std::int64_t> ends;
    for (std::size_t t = 0; t < actions.size(); ++t) {
      const auto& step = world->step(at::full({1}, actions[t].get<std::int64_t>(), at::kLong));
      ASSERT_EQ(digest(step.observations), one["seen"][t + 1]) << where << " " << t;
      ASSERT_EQ(step.rewards.item<double>(), one["rewards"][t].get<double>()) << where << " " << t;
      if (step.ended > 0) ends.push_back(static_cast<std::int64_t>(t));
    }
    EXPECT_EQ(ends, one["ends"].get<std::vector<std::int64_t>>()) << where;
  }
}

TEST_F(Atari, GoesBackToAState) {
  const auto world = make_environment(builtin_environments(), "atari", {{"game", "breakout"}, {"sticky", 0.25}});
  EXPECT_EQ(std::get<Box>(world->spec().observation).stack, 4);
  const auto played = roll_out(*world, random_choice(world->spec()), 3, {.max_steps = 60});
  const auto last = world->render(160, 210);
  world->set_state(played.states[20]);
  EXPECT_EQ(world->observation(), played.observations[20]);
  EXPECT_EQ(world->state(), played.states[20]);
  for (std::size_t t = 20; t < played.actions.size(); ++t)
    ASSERT_EQ(world->step(played.actions[t]).observation, played.observations[t + 1]) << t;
  EXPECT_EQ(world->render(160, 210), last);
  EXPECT_LT(played.states[20].size(), 12000U);  // a minute of clips' starts in a megabyte
  EXPECT_THROW(world->set_state("no"), Error);
  EXPECT_EQ(world->reset(3).observation, played.observations[0]);
}

TEST_F(Atari, ManyAreWhatEachWouldBeAlone) {
  const auto many = make({{"game", "pong"}, {"worker", {{"workers", 2}}}}, 3);
  const auto alone = make_environment(builtin_environments(), "atari", {{"game", "pong"}});
  many->reset(11);
  auto expected = alone->reset(many->place(2).seed).observation;
  for (std::int64_t t = 0; t < 40; ++t) {
    const auto mine = many->observations()[2].contiguous();
    const auto* bytes = mine.const_data_ptr<std::uint8_t>();
    ASSERT_EQ(std::vector<std::uint8_t>(bytes, bytes + mine.numel()), std::get<std::vector<std::uint8_t>>(expected));
    many->step(at::full({3}, t % 6, at::kLong));
    expected = alone->step(t % 6).observation;
  }
  const auto state = many->state();
  const auto again = make({{"game", "pong"}}, 3);
  again->set_state(state);
  EXPECT_TRUE(again->step(at::full({3}, 2, at::kLong)).observations.equal(many->step(at::full({3}, 2, at::kLong)).observations));
}

/// Returns of one episode in each game, the actions any. A game that is over stands still.
Tensor random_returns(VectorEnvironment& games) {
  const auto choices = static_cast<std::int64_t>(std::get<Discrete>(games.spec().action).choices.size());
  auto returns = at::full({games.count()}, 0.0, at::kDouble);
  Random random(1);
  games.reset(1);
  for (bool playing = true; playing;) {
    std::vector<Action> actions;
    for (std::int64_t i = 0; i < games.count(); ++i) actions.emplace_back(random.below(choices));
    const auto& step = games.step(stacked(actions));
    returns += step.rewards;
    playing = !step.terminated.logical_or(step.truncated).all().item<bool>();
  }
  return returns;
}

/// Mnih et al. 2015 (Nature 518, extended data table 2): random play earns -20.7 in Pong and 1.7 in Breakout, with an
/// action every sixth frame and up to 30 frames without one at the start; means of 30 episodes.
TEST_F(Atari, RandomPlayEarnsWhatWasPublished) {
  constexpr double episodes = 20, theirs = 30;
  const std::pair<const char*, double> published[] = {{"pong", -20.7}, {"breakout", 1.7}};
  for (const auto& [game, mean] : published) {
    const auto games =
        make_vector(builtin_environments(), "atari", {{"game", game}, {"frame_skip", 6}, {"size", 36}, {"stack", 1}},
                    {.count = std::int64_t(episodes), .auto_reset = AutoReset::disabled});
    const auto returns = random_returns(*games);
    const double deviation = returns.std().item<double>();
    EXPECT_NEAR(returns.mean().item<double>(), mean, 3 * deviation * std::sqrt(1 / episodes + 1 / theirs))
        << game << ", deviation " << deviation;
  }
}

TEST(AtariSettings, AreChecked) {
  EXPECT_THROW(AtariConfig({.game = "../x"}).validate(), Error);
  EXPECT_THROW(AtariConfig({.mask = {1, 2, 3}}).validate(), Error);
  EXPECT_THROW(AtariConfig({.sticky = 1.0}).validate(), Error);
  EXPECT_THROW(score_boxes("chess"), Error);
  const auto error = error_of([] { atari_program({.program = "no/such/worker"}); });
  EXPECT_NE(error.fix().find("make ale"), std::string::npos);
}

}  // namespace
}  // namespace rlhf::environments
