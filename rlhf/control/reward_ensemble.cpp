#include "rlhf/control/reward_ensemble.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/normal.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/std.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rlhf/algorithms/reward_loss.h"
#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

constexpr double l2_step = 1.001, ratio_high = 1.5, ratio_low = 1.1;
constexpr std::int64_t updates_between_looks = 25;  // at l2
constexpr std::int64_t pictures_together = 100;     // that a network reads at once without gradients

std::int64_t poisson_one(double uniform) {
  std::int64_t count = 0;
  double term = std::exp(-1.0), sum = term;
  while (uniform > sum && count < 10) sum += term /= static_cast<double>(++count);
  return count;
}

double weighted_mean(const Tensor& values, const Tensor& weights) {
  return (values * weights).sum().item<double>() / weights.sum().item<double>();  // NaN where all weights are 0
}

double share_right(const Tensor& gaps, const Tensor& preferred, const Tensor& weights) {
  return weighted_mean((gaps > 0) == (preferred > 0.5), weights * (preferred != 0.5));
}

/// With replacement.
std::vector<std::int64_t> drawn(std::span<const std::int64_t> from, std::int64_t count, Random& random) {
  std::vector<std::int64_t> picked;
  for (std::int64_t i = 0; i < count; ++i)
    picked.push_back(from[static_cast<std::size_t>(random.below(std::ssize(from)))]);
  return picked;
}

/// Keeps the loss on held-out comparisons between 1.1 and 1.5 times that on the others; `ratio` NaN changes nothing.
double adapted(double l2, double ratio) {
  const double step = std::pow(l2_step, updates_between_looks);
  if (ratio > ratio_high) return std::max(l2, 1e-8) * step;
  return ratio < ratio_low ? l2 / step : l2;
}

/// What a network reads: pictures are kept as bytes.
Tensor as_numbers(const Tensor& inputs) {
  return inputs.scalar_type() == at::kByte ? inputs.to(at::kFloat).div_(255) : inputs;
}

}  // namespace

RewardEnsemble::RewardEnsemble(const std::vector<std::int64_t>& seen, const RewardEnsembleConfig& config)
    : config_(config), pictures_(seen.size() > 1) {
  config.validate();
  for (std::int64_t m = 0; m < config.members; ++m) {
    Member member{
        .network = models::make_network(config.network, seen, 1, 1.0,
                                        derive(config.seed, {hash("reward member"), static_cast<std::uint64_t>(m)})),
        .l2 = config.l2};
    member.optimizer =
        std::make_unique<algorithms::AdamW>(member.network->weights(), algorithms::AdamConfig{.max_grad_norm = 0});
    members_.push_back(std::move(member));
  }
}

void RewardEnsemble::add(std::vector<ClipComparison> comparisons) {
  for (auto& comparison : comparisons) {
    const auto index = std::ssize(comparisons_);
    for (std::size_t m = 0; m < members_.size(); ++m) {
      const auto key = derive(config_.seed, {hash("counted"), m});
      const auto count = members_.size() == 1
                             ? (uniform_at(key, static_cast<std::uint64_t>(index)) < std::exp(-1.0) ? 0 : 1)
                             : poisson_one(uniform_at(key, static_cast<std::uint64_t>(index)));
      members_[m].counts.push_back(static_cast<float>(count));
      members_[m].train.insert(members_[m].train.end(), static_cast<std::size_t>(count), index);
    }
    comparisons_.push_back(std::move(comparison));
  }
}

/// One forward pass over the steps of all clips. `disturbance`: a seed for noise and dropout.
RewardEnsemble::Judged RewardEnsemble::judge(const Member& member, ClipComparisons comparisons,
                                             std::optional<std::uint64_t> disturbance) const {
  const ClipRows rows(comparisons);
  auto steps = as_numbers(rows.steps);
  if (disturbance && config_.input_noise > 0) {
    auto generator = at::detail::createCPUGenerator(derive(*disturbance, {hash("noise")}));
    steps = steps + at::empty_like(steps).normal_(0, config_.input_noise, generator);
  }
  const auto rewards =
      (disturbance && config_.dropout > 0
           ? member.network->forward_dropping(steps, config_.dropout, derive(*disturbance, {hash("dropout")}))
           : member.network->forward(steps))
          .squeeze(1);
  return {.rewards = rewards, .sums = rows.sums(rewards)};
}

/// [pairs], differentiable.
Tensor RewardEnsemble::losses(const Judged& judged, ClipComparisons comparisons) const {
  if (config_.fit_to == FitTo::returns) return (judged.sums - returns_of(comparisons)).square().view({-1, 2}).mean(1);
  return algorithms::noisy_pairwise_losses(judged.gaps(), preferred_of(comparisons), config_.noise);
}

/// Without gradients.
RewardEnsemble::Judged RewardEnsemble::judge_all(const Member& member, const Chosen& comparisons) const {
  const at::NoGradGuard no_gradient;
  std::vector<Tensor> rewards, sums;
  in_pieces(comparisons, pictures_, [&](const auto& piece) {
    const auto judged = judge(member, piece);
    rewards.push_back(judged.rewards);
    sums.push_back(judged.sums);
  });
  return {.rewards = at::cat(rewards), .sums = at::cat(sums)};
}

RewardEnsemble::Chosen RewardEnsemble::chosen(std::span<const std::int64_t> indices) const {
  Chosen picked;
  for (const auto i : indices) picked.push_back(&comparisons_[static_cast<std::size_t>(i)]);
  return picked;
}

/// All comparisons, or as many, drawn anew for each fit, as are to be measured on.
std::vector<std::int64_t> RewardEnsemble::measured_on() const {
  std::vector<std::int64_t> all(comparisons_.size());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  if (config_.measured == 0 || config_.measured >= comparisons()) return all;
  Random random(derive(config_.seed, {hash("measured"), static_cast<std::uint64_t>(version_)}));
  return drawn(all, config_.measured, random);
}

/// One pass over these comparisons: what the member learns from and what it does not, each weighed as it counts it.
RewardEnsemble::Measures RewardEnsemble::measure(const Member& member, const std::vector<std::int64_t>& on) const {
  std::vector<float> counts;
  for (const auto i : on) counts.push_back(member.counts[static_cast<std::size_t>(i)]);
  const auto all = chosen(on);
  const auto judged = judge_all(member, all);
  const auto preferred = preferred_of(all), rewards = judged.rewards.to(at::kDouble);
  const auto each = losses(judged, all);
  const auto scores = [&](const Tensor& weights) -> Scores {
    return {weighted_mean(each, weights), share_right(judged.gaps(), preferred, weights)};
  };
  const auto counted = at::tensor(counts);
  return {.train = scores(counted),
          .heldout = scores((counted == 0).to(at::kFloat)),
          .mean = rewards.mean().item<double>(),
          .deviation = at::std(rewards, /*unbiased=*/false).item<double>()};
}

/// One step of the member's optimiser on a minibatch.
void RewardEnsemble::learn(Member& member, const Chosen& picked, std::uint64_t disturbance) const {
  member.optimizer->zero_grad();
  const auto judged = judge(member, picked, disturbance);
  auto loss = losses(judged, picked).mean();
  if (config_.prior > 0) loss = loss + config_.prior * judged.rewards.square().mean();
  loss.backward();
  const at::NoGradGuard no_gradient;
  for (auto& [name, weight] : member.network->weights())  // the gradient of l2 * |weights|^2
    weight.mutable_grad().add_(weight, 2 * member.l2);
  member.optimizer->step(config_.learning_rate);
}

void RewardEnsemble::improve(Member& member, std::int64_t index, std::int64_t updates,
                             const std::vector<std::int64_t>& on) const {
  Random random(derive(config_.seed, {hash("reward minibatches"), static_cast<std::uint64_t>(index),
                                      static_cast<std::uint64_t>(version_)}));
  for (std::int64_t update = 0; update < updates; ++update) {
    learn(member, chosen(drawn(member.train, config_.minibatch, random)),
          derive(random.key(), {static_cast<std::uint64_t>(update)}));
    if (++member.updates % updates_between_looks != 0 || !config_.adapt_l2) continue;
    const auto now = measure(member, on);
    member.l2 = adapted(member.l2, now.heldout.loss / now.train.loss);
  }
}

EnsembleFit RewardEnsemble::fit(std::int64_t updates) {
  if (comparisons_.empty())
    throw Error({.category = Category::usage,
                 .where = "reward model",
                 .what = "there is no comparison to learn from",
                 .fix = "Ask first."});
  EnsembleFit fit;
  const auto on = measured_on();
  const auto share = 1.0 / static_cast<double>(members_.size());
  for (std::size_t m = 0; m < members_.size(); ++m) {
    auto& member = members_[m];
    if (!member.train.empty()) improve(member, static_cast<std::int64_t>(m), updates, on);
    const auto now = measure(member, on);
    member.mean = config_.centred ? now.mean : 0.0;
    member.deviation = std::max(now.deviation, 1e-6);
    if (member.train.empty()) continue;
    fit.loss += share * now.train.loss;
    fit.heldout_loss += share * now.heldout.loss;
    fit.accuracy += share * now.train.accuracy;
    fit.heldout_accuracy += share * now.heldout.accuracy;
    fit.l2 += share * member.l2;
  }
  ++version_;
  return fit;
}

Tensor RewardEnsemble::rewards(const Tensor& inputs) const {
  const at::NoGradGuard no_gradient;
  std::vector<Tensor> pieces;
  for (const auto& piece : inputs.split(pictures_ ? pictures_together : std::max<std::int64_t>(1, inputs.size(0)))) {
    const auto numbers = as_numbers(piece);
    Tensor sum;
    for (const auto& member : members_) {
      const auto one = (member.network->forward(numbers).squeeze(1) - member.mean) / member.deviation;
      sum = sum.defined() ? sum + one : one;
    }
    pieces.push_back(sum * (config_.deviation / static_cast<double>(members_.size())));
  }
  return pieces.size() == 1 ? pieces[0] : at::cat(pieces);
}

Tensor RewardEnsemble::probabilities(const std::vector<ClipComparison>& pairs) const {
  Chosen all;
  for (const auto& pair : pairs) all.push_back(&pair);
  std::vector<Tensor> each;
  for (const auto& member : members_) each.push_back(at::sigmoid(judge_all(member, all).gaps()));
  return at::stack(each);
}

double RewardEnsemble::accuracy(const std::vector<ClipComparison>& comparisons) const {
  if (comparisons.empty()) return std::nan("");
  Chosen all;
  for (const auto& each : comparisons) all.push_back(&each);
  std::vector<Tensor> sums;
  in_pieces(all, pictures_, [&](const auto& piece) {
    const ClipRows rows(piece);
    sums.push_back(rows.sums(rewards(rows.steps)));
  });
  const auto gap = gaps_of(at::cat(sums));
  return share_right(gap, preferred_of(all), at::ones_like(gap));
}

}  // namespace rlhf::control
