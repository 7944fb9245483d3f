#include "rlhf/control/clip_inputs.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/one_hot.h>

#include <functional>
#include <numeric>

#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

std::int64_t numbers_in(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

bool reads_pictures(const PreferenceConfig& config) {
  if (config.reward.network.architecture == models::Architecture::mlp) return false;
  if (config.actions)
    throw Error({.category = Category::usage,
                 .where = "actions",
                 .what = "a reward model of convolutions reads pictures alone",
                 .fix = "Set actions = false, or take reward.network.architecture = mlp."});
  return true;
}

/// stacks [steps, stack * channels, ...], each the one before moved up by a picture -> the same, as a view of the
/// first stack and the newest picture of each other.
Tensor each_once(const Tensor& stacks, std::int64_t stack) {
  const auto steps = stacks.size(0), channels = stacks.size(1) / stack;
  const auto first = stacks[0].unflatten(0, {stack, channels});
  const auto newest = stacks.narrow(0, 1, steps - 1).narrow(1, (stack - 1) * channels, channels);
  const auto once = at::cat({first, newest});  // [stack + steps - 1, channels, ...]
  return once.as_strided(stacks.sizes(), once.strides());
}

}  // namespace

RewardInputs::RewardInputs(const environments::Spec& spec, const PreferenceConfig& config)
    : RewardInputs(spec, config.actions, config.outcomes, reads_pictures(config)) {}

RewardInputs::RewardInputs(const environments::Spec& spec, bool actions, bool outcomes, bool pictures)
    : spec_(spec), encoder_(spec), actions_(actions && !pictures), outcomes_(outcomes), pictures_(pictures) {
  if (const auto* choices = std::get_if<environments::Discrete>(&spec.action)) choices_ = std::ssize(choices->choices);
  shape_ = encoder_.shape();
  if (pictures) return;
  shape_ = {numbers_in(shape_)};
  if (actions) shape_[0] += choices_ > 0 ? choices_ : numbers_in(std::get<environments::Box>(spec.action).shape);
}

Tensor RewardInputs::operator()(const Tensor& observations, const Tensor& actions, const Tensor& next) const {
  const auto& seen = outcomes_ ? next : observations;
  if (pictures_) return seen.scalar_type() == at::kByte ? seen : encoder_(seen);
  const auto encoded = encoder_(seen).flatten(1);
  if (!actions_) return encoded;
  const auto done = choices_ > 0 ? at::one_hot(actions, choices_).to(at::kFloat) : actions.flatten(1);
  return at::cat({encoded, done}, 1);
}

Tensor RewardInputs::of_clip(const Tensor& observations, const Tensor& actions, const Tensor& next) const {
  const auto inputs = (*this)(observations, actions, next);
  if (!pictures_) return inputs;
  const auto stack = std::get<environments::Box>(spec_.observation).stack;
  return stack > 1 ? each_once(inputs, stack) : inputs.clone();  // a view would keep the whole rollout
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
  return of_clip(observations.narrow(0, 0, steps), environments::stacked(segment.actions),
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

data::Segment cut(const environments::Spec& spec, const Rollout& rollout, std::int64_t env, std::int64_t begin,
                  std::int64_t length, std::int64_t policy_version) {
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
  const auto rewards = rollout.earned[env].contiguous();
  const auto actions = rollout.sent[env].contiguous();
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
