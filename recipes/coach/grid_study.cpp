#include "recipes/coach/grid_study.h"

#include <algorithm>
#include <memory>

#include "rlhf/control/coach.h"

namespace rlhf::recipes {
namespace {

std::unique_ptr<control::TaughtLearner> make(Learner learner, const control::TabularWorld& world, double rate,
                                             double gamma) {
  if (learner == Learner::q_learning)
    return std::make_unique<control::TabularQ>(world.states(), world.actions, rate, gamma);
  if (learner == Learner::tamer) return std::make_unique<control::TabularTamer>(world.states(), world.actions, rate);
  return std::make_unique<control::TabularCoach>(world.states(), world.actions, rate);
}

std::int64_t drawn(const std::vector<double>& chances, Random& random) {
  double left = random.uniform();
  for (std::size_t action = 0; action + 1 < chances.size(); ++action)
    if ((left -= chances[action]) < 0) return static_cast<std::int64_t>(action);
  return std::ssize(chances) - 1;
}

/// Knows the world by heart: the best values there are, and those of the learner's policy as it is at every step.
class Trainer {
 public:
  Trainer(const control::TabularWorld& world, FeedbackKind kind, double gamma)
      : world_(world),
        kind_(kind),
        gamma_(gamma),
        best_(control::optimal_values(world, gamma)),
        present_(world.moves.size(), 0.0) {}

  double feedback(std::int64_t state, std::int64_t action, const control::TabularPolicy& policy) {
    const auto here = static_cast<std::size_t>(state);
    const auto& move = world_.moves[here][static_cast<std::size_t>(action)];
    if (kind_ == FeedbackKind::task) return move.reward;
    auto& values = kind_ == FeedbackKind::action ? best_ : present_;
    if (kind_ == FeedbackKind::improvement) control::evaluate_policy(world_, policy, gamma_, values);
    const double worth = move.reward + (move.terminated ? 0.0 : gamma_ * values[static_cast<std::size_t>(move.next)]);
    constexpr double rounding = 1e-7;
    const double margin = kind_ == FeedbackKind::action ? -rounding : rounding;  // as good as the best; better than now
    return worth - values[here] > margin ? 1.0 : -1.0;
  }

 private:
  const control::TabularWorld& world_;
  FeedbackKind kind_;
  double gamma_;
  std::vector<double> best_, present_;
};

/// The best undiscounted return there is: that of the policy that is best at this discount.
double best_return(const control::TabularWorld& world, const StudyConfig& config) {
  return control::greedy_return(
      world, control::action_values(world, control::optimal_values(world, config.gamma), config.gamma), config.steps);
}

}  // namespace

double taught(const control::TabularWorld& world, Learner learner, FeedbackKind kind, double rate, std::uint64_t seed,
              const StudyConfig& config) {
  const auto pupil = make(learner, world, rate, config.gamma);
  Trainer trainer(world, kind, config.gamma);
  Random random(derive(seed, {hash("coach study")}));
  double sum = 0;
  for (std::int64_t episode = 0; episode < config.episodes; ++episode) {
    pupil->begin_episode();
    auto state = world.start;
    for (std::int64_t t = 0; t < config.steps; ++t) {
      const auto action = drawn(pupil->policy()[static_cast<std::size_t>(state)], random);
      const auto& move = world.moves[static_cast<std::size_t>(state)][static_cast<std::size_t>(action)];
      pupil->learn(state, action, move, trainer.feedback(state, action, pupil->policy()));
      if (move.terminated) break;
      state = move.next;
    }
    if (episode >= config.episodes - config.judged_episodes)
      sum += control::greedy_return(world, pupil->policy(), config.steps);
  }
  return sum / static_cast<double>(config.judged_episodes) / best_return(world, config);
}

}  // namespace rlhf::recipes
