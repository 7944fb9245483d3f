#include "recipes/recursive_reward_modeling/finder.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace rlhf::recipes {
namespace {

/// Draws places one after the other from the softmax of `scores`, without putting back.
std::vector<std::int64_t> draw(std::vector<double> scores, std::int64_t count, Random& random) {
  std::vector<std::int64_t> drawn;
  const double most = *std::max_element(scores.begin(), scores.end());
  for (double& score : scores) score = std::exp(score - most);
  while (std::ssize(drawn) < count && std::ssize(drawn) < std::ssize(scores)) {
    double left = random.uniform() * std::accumulate(scores.begin(), scores.end(), 0.0);
    std::int64_t place = -1;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] <= 0) continue;
      place = static_cast<std::int64_t>(i);
      if ((left -= scores[i]) < 0) break;
    }
    if (place < 0) break;  // what is left is too unlikely to be told from 0
    scores[static_cast<std::size_t>(place)] = 0;
    drawn.push_back(place);
  }
  return drawn;
}

std::vector<double> plain(const Tensor& logits) {
  const auto values = logits.detach().contiguous();
  return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
}

/// Logarithm of the chance that `drawn` come in this order. logits [places]
Tensor logprob_of(const Tensor& logits, const std::vector<std::int64_t>& drawn) {
  Tensor sum = at::zeros({}, at::kFloat), left = logits;
  for (const auto place : drawn) {
    sum = sum + logits[place] - at::logsumexp(left, 0);
    auto taken = at::zeros_like(logits);
    taken[place] = -1e9;
    left = left + taken;
  }
  return sum;
}

std::vector<std::int64_t> all_places(const Output& output) {
  std::vector<std::int64_t> all(output.places.size());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

}  // namespace

void FinderConfig::fields(Fields& f) {
  f.field("labels", labels, "comparisons of two proposals that the helper is trained on");
  f.field("proposals", proposals, "places in a proposal");
  f.field("updates", updates, "of the helper's policy");
  f.field("outputs", outputs, "practice outputs in an update");
  f.field("draws", draws, "proposals for each output in an update");
  f.field("learning_rate", learning_rate, "of the policy");
  f.field("entropy", entropy, "weight of the policy's entropy");
  f.group("reward", reward, "the helper's reward model");
  f.field("fit_updates", fit_updates, "minibatches of its fit");
}

Tensor features_of(const Output& output, std::span<const std::int64_t> places) {
  std::vector<float> all;
  for (const auto place : places) {
    const auto& features = output.places[static_cast<std::size_t>(place)].features;
    all.insert(all.end(), features.begin(), features.end());
  }
  return at::tensor(all).view({std::ssize(places), -1});
}

Finder::Finder(std::int64_t features, const FinderConfig& config)
    : config_(config),
      network_(models::make_network({.hidden = {16}}, {features}, 1, 0.01, derive(config.seed, {hash("finder")}))),
      features_(features) {}

Tensor Finder::logits(const std::vector<const Output*>& outputs) const {
  std::vector<Tensor> rows;
  for (const auto* output : outputs) rows.push_back(features_of(*output, all_places(*output)));
  return network_->forward(at::cat(rows)).squeeze(1);
}

std::vector<std::int64_t> Finder::propose(const Output& output, std::int64_t count, Random& random, bool turned) const {
  const at::NoGradGuard no_gradient;
  auto scores = plain(logits({&output}));
  if (turned)
    for (double& score : scores) score = -score;
  return draw(scores, count, random);
}

std::optional<bool> Finder::fit_reward(control::RewardEnsemble& reward, const std::vector<Output>& practice,
                                       feedback::Store& store, double error_rate,
                                       const std::function<bool()>& stop_requested) {
  Random random(derive(config_.seed, {hash("finder questions")}));
  const auto evaluator = make_evaluator({.error_rate = error_rate, .fault_cost = 0, .seed = config_.seed});
  std::vector<feedback::Question> questions;
  std::vector<control::ClipComparison> comparisons;
  for (std::int64_t i = 0; i < config_.labels; ++i) {
    const auto& output = practice[static_cast<std::size_t>(random.below(std::ssize(practice)))];
    Output shown[2];
    Tensor inputs[2];
    for (int side = 0; side < 2; ++side) {
      const auto places = drawn_by_lot(output, config_.proposals, random);
      inputs[side] = features_of(output, places);
      for (const auto& found : findings_at(output, places, "something wrong", "nothing wrong")) {
        shown[side].text += found.text + "\n";
        shown[side].visible += found.faults;  // both proposals are opened: a person sees this alone
      }
      shown[side].truth = shown[side].visible;
    }
    questions.push_back(question_of("finder", fmt::format("proposal-{}", i), shown[0], shown[1], {.name = "opened"},
                                    config_.seed));
    comparisons.push_back({.first = inputs[0], .second = inputs[1]});
  }
  const auto answers = ask_all(store, questions, *evaluator, stop_requested);
  if (!answers) return std::nullopt;
  for (std::size_t i = 0; i < comparisons.size(); ++i) comparisons[i].preferred = (*answers)[i] ? 1.0 : 0.0;
  reward.add(std::move(comparisons));
  reward.fit(config_.fit_updates);
  return true;
}

/// REINFORCE (Williams 1992) with the mean of an output's other proposals as the baseline.
void Finder::reinforce(const control::RewardEnsemble& reward, const std::vector<Output>& practice) {
  algorithms::AdamW optimizer(network_->weights(), {});
  Random random(derive(config_.seed, {hash("finder policy")}));
  for (std::int64_t update = 0; update < config_.updates; ++update) {
    std::vector<const Output*> outputs;
    for (std::int64_t i = 0; i < config_.outputs; ++i)
      outputs.push_back(&practice[static_cast<std::size_t>(random.below(std::ssize(practice)))]);
    const auto all = logits(outputs);
    std::int64_t begin = 0;
    std::vector<Tensor> losses;
    for (const auto* output : outputs) {
      const auto mine = all.narrow(0, begin, std::ssize(output->places));
      begin += std::ssize(output->places);
      const auto worth = plain(reward.rewards(features_of(*output, all_places(*output))));
      std::vector<std::vector<std::int64_t>> drawn;
      std::vector<double> earned;
      for (std::int64_t i = 0; i < config_.draws; ++i) {
        drawn.push_back(draw(plain(mine), config_.proposals, random));
        earned.push_back(0);
        for (const auto place : drawn.back()) earned.back() += worth[static_cast<std::size_t>(place)];
      }
      const double total = std::accumulate(earned.begin(), earned.end(), 0.0);
      for (std::size_t i = 0; i < drawn.size(); ++i) {
        const double others = (total - earned[i]) / static_cast<double>(config_.draws - 1);
        losses.push_back(logprob_of(mine, drawn[i]) * -(earned[i] - others));
      }
      if (config_.entropy > 0) {
        const auto logprobs = mine - at::logsumexp(mine, 0);
        losses.push_back((logprobs.exp() * logprobs).sum() * (config_.entropy * static_cast<double>(config_.draws)));
      }
    }
    optimizer.zero_grad();
    at::stack(losses).mean().backward();
    optimizer.step(config_.learning_rate);
  }
}

bool Finder::train(const std::vector<Output>& practice, feedback::Store& store, double error_rate,
                   const std::function<bool()>& stop_requested) {
  auto config = config_.reward;
  config.network.hidden = {16};
  config.seed = derive(config_.seed, {hash("finder reward")});
  control::RewardEnsemble reward(features_, config);
  if (!fit_reward(reward, practice, store, error_rate, stop_requested)) return false;
  reinforce(reward, practice);
  return true;
}

}  // namespace rlhf::recipes
