#include "rlhf/control/clip_inputs.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/one_hot.h>

#include "rlhf/core/error.h"

namespace rlhf::control {
RewardInputs::RewardInputs(const environments::Spec& spec, bool actions, bool outcomes)
    : spec_(spec), encoder_(spec), actions_(actions), outcomes_(outcomes) {
  width_ = 1;
  for (const auto side : encoder_.shape()) width_ *= side;
  if (const auto* choices = std::get_if<environments::Discrete>(&spec.action)) choices_ = std::ssize(choices->choices);
  if (!actions) return;
  if (choices_ > 0) {
    width_ += choices_;
  } else {
    std::int64_t numbers = 1;
    for (const auto side : std::get<environments::Box>(spec.action).shape) numbers *= side;
    width_ += numbers;
  }
}

Tensor RewardInputs::operator()(const Tensor& observations, const Tensor& actions, const Tensor& next) const {
  const auto seen = encoder_(outcomes_ ? next : observations).flatten(1);
  if (!actions_) return seen;
  const auto done = choices_ > 0 ? at::one_hot(actions, choices_).to(at::kFloat) : actions.flatten(1);
  return at::cat({seen, done}, 1);
}

Tensor RewardInputs::of(environments::Environment& environment, const data::Segment& segment) const {
  if (environments::hash_of(environment.spec()) != segment.spec)
    throw Error({.category = Category::check,
                 .where = "clip of " + segment.environment,
                 .what = "it was recorded in an environment with other settings or another version",
                 .fix = "Make the environment with the settings that the clip was recorded in."});
  std::vector<environments::Array> seen;
  environment.set_state(segment.start_state);
  seen.push_back(environment.observation());
  for (const auto& action : segment.actions) seen.push_back(environment.step(action).observation);
  const auto observations = environments::stacked(spec_, seen);
  const auto steps = std::ssize(segment.actions);
  return (*this)(observations.narrow(0, 0, steps), environments::stacked(segment.actions),
                 observations.narrow(0, 1, steps));
}

std::vector<std::pair<std::int64_t, std::int64_t>> places_for(const Rollout& rollout, std::int64_t length) {
  std::vector<std::pair<std::int64_t, std::int64_t>> places;
  const auto steps = rollout.rewards.size(1);
  for (std::size_t sequence = 0; sequence + 1 < rollout.starts.size(); ++sequence)
    for (auto t = rollout.starts[sequence]; t + length <= rollout.starts[sequence + 1]; ++t)
      places.emplace_back(t / steps, t % steps);
  return places;
}

data::Segment cut(const environments::Spec& spec, const Rollout& rollout, const Tensor& true_rewards, std::int64_t env,
                  std::int64_t begin, std::int64_t length, std::int64_t policy_version) {
  const auto steps = rollout.rewards.size(1);
  const auto first = static_cast<std::size_t>(env * steps + begin);
  const auto last = first + static_cast<std::size_t>(length) - 1;
  if (length < 1 || begin < 0 || begin + length > steps || rollout.states.empty() ||
      rollout.places[first].seed != rollout.places[last].seed)
    throw Error({.category = Category::usage,
                 .where = "cut",
                 .what = "there is no such piece of one episode in this rollout, or no states",
                 .fix = "Take a place of places_for, and collect with states."});
  data::Segment segment{.environment = spec.name,
                        .spec = environments::hash_of(spec),
                        .seed = rollout.places[first].seed,
                        .begin = rollout.places[first].step,
                        .length = length,
                        .policy_version = policy_version,
                        .start_state = rollout.states[first]};
  const auto rewards = true_rewards[env].contiguous();
  const auto actions = rollout.actions[env].contiguous();
  for (auto t = begin; t < begin + length; ++t) {
    segment.rewards.push_back(rewards.const_data_ptr<float>()[t]);
    if (actions.scalar_type() == at::kLong) {
      segment.actions.emplace_back(actions.const_data_ptr<std::int64_t>()[t]);
    } else {
      const auto width = actions.numel() / steps;
      const float* numbers = actions.const_data_ptr<float>() + t * width;
      segment.actions.emplace_back(std::vector<float>(numbers, numbers + width));
    }
  }
  return segment;
}

}  // namespace rlhf::control
