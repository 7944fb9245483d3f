// PPO for control on text: the same agent, tokens instead of moves.
#include <gtest/gtest.h>

#include "rlhf/control/ppo.h"
#include "rlhf/environments/text.h"
#include "rlhf/models/actor_critic.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

using environments::TextTask;
using environments::Tokens;

/// A prompt of one letter out of four; a point for each of three tokens that repeats it, and one for then being quiet.
TextTask echo() {
  return {.vocabulary = {"a", "b", "c", "d", "."},
          .end = 4,
          .max_tokens = 4,
          .context = 5,
          .open = [](Random& random) { return Tokens{random.below(4)}; },
          .score =
              [](std::span<const std::int64_t> said, std::size_t opening) {
                double points = said.size() == 5 && said.back() == 4;
                for (std::size_t i = opening; i < said.size(); ++i) points += said[i] == said[0];
                return points;
              }};
}

TEST(ControlPpo, LearnsToRepeatAPrompt) {
  const ScratchFolder scratch;
  const auto make = [](std::int64_t count) {
    return environments::each_of([] { return std::make_unique<environments::TextEnvironment>(echo()); },
                                 {.count = count});
  };
  const auto environments = make(16);
  models::ActorCritic agent(environments->spec(), {.seed = 2});
  const PpoConfig config{
      .total_steps = 30000, .envs = 16, .steps = 32, .epochs = 6, .minibatch = 128, .learning_rate = 2e-3, .seed = 1};
  rlhf::Run run({.folder = scratch.path() / "run", .quiet = true}, "", nlohmann::json::object());
  const auto before = mean(play(*make(10), greedy(agent), 200, 9));
  train(agent, *environments, config, {}, run);
  EXPECT_LT(before, 1.5);
  EXPECT_GT(mean(play(*make(10), greedy(agent), 200, 9)), 3.6);  // 4 is all
}

}  // namespace
}  // namespace rlhf::control
