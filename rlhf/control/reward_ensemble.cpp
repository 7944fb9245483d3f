#include "rlhf/control/reward_ensemble.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/normal.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/std.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

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

Tensor preferred_of(std::span<const ClipComparison* const> comparisons) {
  std::vector<float> preferred;
  for (const auto* comparison : comparisons) preferred.push_back(static_cast<float>(comparison->preferred));
  return at::tensor(preferred);
}

double share_right(const Tensor& gaps, const Tensor& preferred) {
  const auto decided = preferred != 0.5;
  const auto count = decided.sum().item<double>();
  if (count == 0) return std::nan("");
  return ((gaps > 0) == (preferred > 0.5)).logical_and(decided).sum().item<double>() / count;
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
      if (count == 0) members_[m].heldout.push_back(index);
      members_[m].train.insert(members_[m].train.end(), static_cast<std::size_t>(count), index);
    }
    comparisons_.push_back(std::move(comparison));
  }
}

/// One forward pass over the steps of all clips. `disturbance`: a seed for noise and dropout.
RewardEnsemble::Judged RewardEnsemble::judge(const Member& member, std::span<const ClipComparison* const> comparisons,
                                             std::optional<std::uint64_t> disturbance) const {
  std::vector<Tensor> clips;
  std::vector<std::int64_t> of_step;
  for (const auto* comparison : comparisons)
    for (const auto* clip : {&comparison->first, &comparison->second}) {
      of_step.insert(of_step.end(), static_cast<std::size_t>(clip->size(0)), std::ssize(clips));
      clips.push_back(*clip);
    }
  auto steps = as_numbers(at::cat(clips));
  if (disturbance && config_.input_noise > 0) {
    auto generator = at::detail::createCPUGenerator(derive(*disturbance, {hash("noise")}));
    steps = steps + at::empty_like(steps).normal_(0, config_.input_noise, generator);
  }
  const auto rewards = (disturbance && config_.dropout > 0
                            ? member.network->forward_dropping(steps, config_.dropout, derive(*disturbance, {hash("dropout")}))
                            : member.network->forward(steps))
                           .squeeze(1);
  const auto sums = at::zeros({std::ssize(clips)}, at::kFloat).index_add(0, at::tensor(of_step), rewards).view({-1, 2});
  return {.rewards = rewards, .gaps = sums.select(1, 0) - sums.select(1, 1)};
}

/// Without gradients. Pictures are read a few comparisons at a time: those of all clips together would not fit.
RewardEnsemble::Judged RewardEnsemble::judge_all(const Member& member, const Chosen& comparisons) const {
  const at::NoGradGuard no_gradient;
  const std::size_t together = pictures_ ? 2 : comparisons.size();
  std::vector<Tensor> rewards, gaps;
  for (std::size_t i = 0; i < comparisons.size(); i += together) {
    const auto judged = judge(member, std::span(comparisons).subspan(i, std::min(together, comparisons.size() - i)));
    rewards.push_back(judged.rewards);
    gaps.push_back(judged.gaps);
  }
  return {.rewards = at::cat(rewards), .gaps = at::cat(gaps)};
}

RewardEnsemble::Chosen RewardEnsemble::drawn(const std::vector<std::int64_t>& from, std::int64_t count,
                                             Random& random) const {
  Chosen picked;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = from[static_cast<std::size_t>(random.below(std::ssize(from)))];
    picked.push_back(&comparisons_[static_cast<std::size_t>(at)]);
  }
  return picked;
}

/// All of them, or as many of them, drawn anew for each fit, as are to be measured on.
RewardEnsemble::Chosen RewardEnsemble::measured(const std::vector<std::int64_t>& from, const char* purpose) const {
  if (config_.measured > 0 && config_.measured < std::ssize(from)) {
    Random random(derive(config_.seed, {hash("measured"), hash(purpose), static_cast<std::uint64_t>(version_)}));
    return drawn(from, config_.measured, random);
  }
  Chosen all;
  for (const auto i : from) all.push_back(&comparisons_[static_cast<std::size_t>(i)]);
  return all;
}

RewardEnsemble::Scores RewardEnsemble::scores(const Member& member, const std::vector<std::int64_t>& on) const {
  const auto all = measured(on, "scores");
  if (all.empty()) return {std::nan(""), std::nan("")};
  const auto gaps = judge_all(member, all).gaps, preferred = preferred_of(all);
  return {algorithms::noisy_pairwise_loss(gaps, preferred, config_.noise).item<double>(), share_right(gaps, preferred)};
}

/// One step of the member's optimiser on a minibatch.
void RewardEnsemble::learn(Member& member, const Chosen& picked, std::uint64_t disturbance) const {
  member.optimizer->zero_grad();
  const auto judged = judge(member, picked, disturbance);
  auto loss = algorithms::noisy_pairwise_loss(judged.gaps, preferred_of(picked), config_.noise);
  if (config_.prior > 0) loss = loss + config_.prior * judged.rewards.square().mean();
  if (member.l2 > 0)
    for (const auto& [name, weight] : member.network->weights()) loss = loss + member.l2 * weight.square().sum();
  loss.backward();
  member.optimizer->step(config_.learning_rate);
}

/// Keeps the loss on held-out comparisons between 1.1 and 1.5 times that on the others.
void RewardEnsemble::adapt_l2(Member& member) const {
  if (member.heldout.empty()) return;
  const double ratio = scores(member, member.heldout).loss / scores(member, member.train).loss;
  const double step = std::pow(l2_step, updates_between_looks);
  if (ratio > ratio_high) member.l2 = std::max(member.l2, 1e-8) * step;
  if (ratio < ratio_low) member.l2 /= step;
}

void RewardEnsemble::fit_member(Member& member, std::int64_t index, std::int64_t updates, EnsembleFit& fit) {
  Random random(derive(config_.seed, {hash("reward minibatches"), static_cast<std::uint64_t>(index),
                                      static_cast<std::uint64_t>(version_)}));
  for (std::int64_t update = 0; update < updates; ++update) {
    learn(member, drawn(member.train, config_.minibatch, random),
          derive(random.key(), {static_cast<std::uint64_t>(update)}));
    if (config_.adapt_l2 && (update + 1) % updates_between_looks == 0) adapt_l2(member);
  }
  const auto train = scores(member, member.train), heldout = scores(member, member.heldout);
  const auto share = 1.0 / static_cast<double>(members_.size());
  fit.loss += share * train.loss;
  fit.heldout_loss += share * heldout.loss;
  fit.accuracy += share * train.accuracy;
  fit.heldout_accuracy += share * heldout.accuracy;
  fit.l2 += share * member.l2;
}

EnsembleFit RewardEnsemble::fit(std::int64_t updates) {
  if (comparisons_.empty())
    throw Error({.category = Category::usage,
                 .where = "reward model",
                 .what = "there is no comparison to learn from",
                 .fix = "Ask first."});
  EnsembleFit fit;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    if (members_[m].train.empty()) continue;
    fit_member(members_[m], static_cast<std::int64_t>(m), updates, fit);
  }
  normalise();
  ++version_;
  return fit;
}

void RewardEnsemble::normalise() {
  std::vector<std::int64_t> every(comparisons_.size());
  std::iota(every.begin(), every.end(), std::int64_t{0});
  const auto on = measured(every, "normalisation");
  for (auto& member : members_) {
    const auto outputs = judge_all(member, on).rewards.to(at::kDouble);
    member.mean = config_.centred ? outputs.mean().item<double>() : 0.0;
    member.deviation = std::max(at::std(outputs, /*unbiased=*/false).item<double>(), 1e-6);
  }
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
  for (const auto& member : members_) each.push_back(at::sigmoid(judge_all(member, all).gaps));
  return at::stack(each);
}

double RewardEnsemble::accuracy(const std::vector<ClipComparison>& comparisons) const {
  if (comparisons.empty()) return std::nan("");
  std::vector<float> gap, preferred;
  for (const auto& each : comparisons) {
    gap.push_back(rewards(each.first).sum().item<float>() - rewards(each.second).sum().item<float>());
    preferred.push_back(static_cast<float>(each.preferred));
  }
  return share_right(at::tensor(gap), at::tensor(preferred));
}

void RewardEnsemble::save(State& state, const std::string& prefix) const {
  auto record = nlohmann::json{{"version", version_}, {"members", nlohmann::json::array()}};
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const auto& member = members_[m];
    const auto name = prefix + "." + std::to_string(m);
    for (const auto& [weight_name, weight] : member.network->weights())
      state.tensors[name + "." + weight_name] = weight.detach();
    member.optimizer->save(state, name + ".optimizer");
    record["members"].push_back({member.mean, member.deviation, member.l2});
  }
  state.values[prefix] = record;
}

void RewardEnsemble::restore(const State& state, const std::string& prefix) {
  const at::NoGradGuard no_gradient;
  const auto& record = state.values.at(prefix);
  version_ = record.at("version");
  for (std::size_t m = 0; m < members_.size(); ++m) {
    auto& member = members_[m];
    const auto name = prefix + "." + std::to_string(m);
    for (auto& [weight_name, weight] : member.network->weights())
      weight.copy_(state.tensors.at(name + "." + weight_name));
    member.optimizer->restore(state, name + ".optimizer");
    const auto& numbers = record.at("members").at(m);
    member.mean = numbers.at(0);
    member.deviation = numbers.at(1);
    member.l2 = numbers.at(2);
  }
}

}  // namespace rlhf::control
