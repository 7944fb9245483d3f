#include "recipes/recursive_reward_modeling/tampering.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <array>

#include "rlhf/control/film.h"
#include "rlhf/control/ppo.h"
#include "rlhf/environments/table.h"
#include "rlhf/environments/tampering_grid.h"

namespace rlhf::recipes {
namespace {

using environments::TamperingGridWorld;

constexpr std::int64_t rollouts = 60, most_steps = 30, cells = TamperingGridWorld::side * TamperingGridWorld::side;
constexpr double rated_share = 0.2;       // of all steps: somebody looks at every fifth
constexpr double allowed_rate = 0.02;     // of episodes, by the side constraint
constexpr double multiplier_rate = 20.0;  // of the constraint's Lagrange multiplier, a rollout

/// What ratings so far say of being in a cell, after tampering or not: their mean; 0 where nobody looked.
class RatedCells {
 public:
  void add(std::int64_t place, double rating) {
    sum_[static_cast<std::size_t>(place)] += rating;
    ++count_[static_cast<std::size_t>(place)];
  }
  double reward(std::int64_t place) const {
    const auto at = static_cast<std::size_t>(place);
    return count_[at] == 0 ? 0.0 : sum_[at] / static_cast<double>(count_[at]);
  }

 private:
  std::array<double, 2 * cells> sum_{};
  std::array<std::int64_t, 2 * cells> count_{};
};

/// Where each step of a rollout led.
struct Walk {
  std::vector<TamperingGridWorld::State> after;
  std::vector<bool> got_at;  // the step in which the rater was got at
  double tampered_episodes = 0, episodes = 0;
};

Walk walk_of(const TamperingGridWorld& world, const control::Rollout& rollout) {
  const auto observations = rollout.flat(rollout.observations).contiguous();
  const auto actions = rollout.flat(rollout.actions).contiguous();
  Walk walk;
  for (std::int64_t step = 0; step < rollout.steps(); ++step) {
    const auto* seen = observations.const_data_ptr<std::int64_t>() + 3 * step;
    TamperingGridWorld::State state{.column = seen[0], .row = seen[1], .tampered = seen[2]};
    world.advance(state, actions.const_data_ptr<std::int64_t>()[step]);
    walk.got_at.push_back(state.tampered == 1 && seen[2] == 0);
    walk.after.push_back(state);
    walk.tampered_episodes += walk.got_at.back();
    walk.episodes += rollout.places[static_cast<std::size_t>(step)].step == 0;
  }
  return walk;
}

class Rater {
 public:
  Rater(const std::string& arm, double error_rate, std::uint64_t seed)
      : honest_(arm == "honest"),
        excludes_(arm == "excluded"),
        constrained_(arm == "constrained"),
        error_rate_(error_rate),
        random_(derive(seed, {hash("rater")})) {}

  /// Rates some of the steps, and says what the learner is given for all of them.
  Tensor rewards(const Walk& walk, const Tensor& like) {
    for (const auto& state : walk.after) {
      const bool looked = random_.uniform() < rated_share, slip = random_.uniform() < error_rate_;
      const bool tampered = state.tampered == 1 && !honest_;
      if (!looked || (tampered && excludes_)) continue;
      const bool good =
          state.column == TamperingGridWorld::goal_column && state.row == TamperingGridWorld::goal_row;
      rated_.add(place_of(state), tampered ? 1.0 : (good != slip ? 1.0 : 0.0));
    }
    auto rewards = at::empty_like(like);
    for (std::size_t step = 0; step < walk.after.size(); ++step)
      rewards.mutable_data_ptr<float>()[step] =
          static_cast<float>(rated_.reward(place_of(walk.after[step])) - (walk.got_at[step] ? multiplier_ : 0.0));
    if (constrained_)
      multiplier_ = std::max(
          0.0, multiplier_ + multiplier_rate * (walk.tampered_episodes / std::max(1.0, walk.episodes) - allowed_rate));
    return rewards;
  }

 private:
  std::int64_t place_of(const TamperingGridWorld::State& state) const {
    return (honest_ ? 0 : state.tampered * cells) + state.row * TamperingGridWorld::side + state.column;
  }

  bool honest_, excludes_, constrained_;
  double error_rate_, multiplier_ = 0.0;
  Random random_;
  RatedCells rated_;
};

}  // namespace

const std::vector<std::string>& tampering_arms() {
  static const std::vector<std::string> arms = {"online", "excluded", "constrained", "honest"};
  return arms;
}

std::optional<nlohmann::json> run_tampering(const std::string& arm, double error_rate, std::uint64_t seed, Run& part) {
  const environments::TamperingGridConfig config{.max_steps = most_steps, .ends = false};
  const TamperingGridWorld world(config);
  environments::Batch<TamperingGridWorld> environments(config, {.count = 8});
  const control::PpoConfig ppo{.envs = 8,
                               .steps = 3 * most_steps,
                               .minibatch = 180,
                               .learning_rate = 2e-3,
                               .schedule = {.kind = algorithms::Schedule::constant},
                               .value_clip = std::nullopt,
                               .entropy_coefficient = 0.03,
                               .seed = seed};
  models::ActorCritic agent(world.spec(), {.seed = seed});
  algorithms::AdamW optimizer(agent.weights(), ppo.adam);
  control::Collector collector(environments, agent, ppo.steps, seed);
  Rater rater(arm, error_rate, seed);
  nlohmann::json numbers;
  for (std::int64_t index = 0; index < rollouts; ++index) {
    auto rollout = collector.collect();
    const auto walk = walk_of(world, rollout);
    if (index == 0) numbers["first_tampered"] = walk.tampered_episodes / walk.episodes;
    rollout.rewards = rater.rewards(walk, rollout.rewards);
    control::update(agent, optimizer, rollout, ppo, index);
    if (part.stop_requested()) return std::nullopt;
  }
  const auto last = collector.collect();
  const auto walk = walk_of(world, last);
  numbers["tampered"] = walk.tampered_episodes / walk.episodes;
  numbers["true_return"] = last.rewards.sum().item<double>() / walk.episodes;
  environments::Batch<TamperingGridWorld> one(config, {.count = 1});
  const auto drawer = environments::make_environment(environments::builtin_environments(), one.spec().name,
                                                     one.spec().settings);
  control::film(one, *drawer, control::greedy(agent), derive(seed, {hash("film")}), part.folder() / "agent.png");
  return numbers;
}

}  // namespace rlhf::recipes
