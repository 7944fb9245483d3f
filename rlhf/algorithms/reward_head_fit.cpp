#include "rlhf/algorithms/reward_head_fit.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/std.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "rlhf/algorithms/minibatch.h"
#include "rlhf/algorithms/reward_loss.h"
#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {
namespace {

using Judgements = std::vector<const data::Comparison*>;

struct Point {
  Tensor weight, gradient;  // [width]
  double loss = 0;
};

double product(const Tensor& a, const Tensor& b) { return at::dot(a, b).item<double>(); }

Point evaluate(const Tensor& features, std::span<const data::Comparison* const> comparisons, const Tensor& weight, double l2) {
  const at::AutoGradMode gradients(true);
  Tensor leaf = weight.detach().clone();
  leaf.set_requires_grad(true);
  const Tensor loss = best_of_n_loss(at::mv(features, leaf), comparisons).loss + 0.5 * l2 * at::dot(leaf, leaf);
  loss.backward();
  return {.weight = weight, .gradient = leaf.grad(), .loss = loss.item<double>()};
}

/// The last steps and how the gradient changed along them: an approximation of the inverse Hessian (Nocedal 1980).
class History {
 public:
  void add(const Point& before, const Point& after) {
    Pair pair{.step = after.weight - before.weight, .change = after.gradient - before.gradient};
    pair.curvature = product(pair.step, pair.change);
    if (pair.curvature <= 1e-12) return;  // the loss is convex: only rounding gets here
    pairs_.push_back(std::move(pair));
    if (pairs_.size() > 10) pairs_.pop_front();
  }

  Tensor direction(const Tensor& gradient) const {
    Tensor result = -gradient;
    std::vector<double> shares(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      shares[i] = product(pairs_[i].step, result) / pairs_[i].curvature;
      result = result - shares[i] * pairs_[i].change;
    }
    if (!pairs_.empty()) result = result * (pairs_.back().curvature / product(pairs_.back().change, pairs_.back().change));
    for (std::size_t i = 0; i < pairs_.size(); ++i)
      result = result + pairs_[i].step * (shares[i] - product(pairs_[i].change, result) / pairs_[i].curvature);
    return result;
  }

 private:
  struct Pair {
    Tensor step, change;
    double curvature = 0;
  };
  std::deque<Pair> pairs_;
};

/// The rows of `features` that belong to a choice of comparisons.
struct Subset {
  Judgements judgements;
  Tensor rows;  // [items of the judgements], int64
};

Subset subset(std::span<const data::Comparison> comparisons, std::span<const std::int64_t> chosen) {
  std::vector<std::int64_t> first{0};
  for (const auto& comparison : comparisons) first.push_back(first.back() + static_cast<std::int64_t>(comparison.items.size()));
  Subset result;
  std::vector<std::int64_t> rows;
  for (const auto i : chosen) {
    result.judgements.push_back(&comparisons[i]);
    for (auto row = first[i]; row < first[i + 1]; ++row) rows.push_back(row);
  }
  result.rows = at::from_blob(rows.data(), {static_cast<std::int64_t>(rows.size())}, at::kLong).clone();
  return result;
}

struct Chosen {
  double l2 = 0, loss = std::numeric_limits<double>::infinity(), accuracy = 0;
  Tensor weight;
};

/// From strong to weak, each fit starting at the last one; stops once the validation loss has risen twice.
Chosen choose_l2(const Tensor& features, std::span<const data::Comparison> comparisons, const HeadFitConfig& config) {
  const auto count = static_cast<std::int64_t>(comparisons.size());
  const auto order = shuffled(count, derive(config.seed, {hash("reward head validation")}));
  const auto held = std::clamp<std::int64_t>(static_cast<std::int64_t>(config.validation * static_cast<double>(count)), 1, count - 1);
  const Subset validation = subset(comparisons, std::span(order).first(held)), fit = subset(comparisons, std::span(order).subspan(held));
  const Tensor fit_features = features.index_select(0, fit.rows), validation_features = features.index_select(0, validation.rows);
  Chosen best;
  Tensor weight;
  int worse = 0;
  for (const double l2 : config.l2) {
    weight = fit_choice(fit_features, fit.judgements, l2, config.iterations, weight);
    const auto held_out = best_of_n_loss(at::mv(validation_features, weight), validation.judgements);
    const double loss = held_out.loss.item<double>();
    if (loss < best.loss) {
      best = {.l2 = l2, .loss = loss, .accuracy = held_out.metrics.accuracy.item<double>(), .weight = weight};
      worse = 0;
    } else if (++worse == 2) {
      break;
    }
  }
  return best;
}

/// Weights of heads that saw other samples of the same comparisons (Efron 1979), from where the head itself stands.
Tensor bootstrap(const Tensor& features, std::span<const data::Comparison> comparisons, const HeadFitConfig& config, double l2, const Tensor& weight) {
  std::vector<Tensor> members;
  for (std::int64_t member = 0; member < config.members; ++member) {
    Random random(derive(config.seed, {hash("reward head member"), static_cast<std::uint64_t>(member)}));
    std::vector<std::int64_t> drawn(comparisons.size());
    for (auto& each : drawn) each = random.below(static_cast<std::int64_t>(comparisons.size()));
    const Subset sample = subset(comparisons, drawn);
    members.push_back(fit_choice(features.index_select(0, sample.rows), sample.judgements, l2, config.iterations, weight));
  }
  return at::stack(members);
}

}  // namespace

void HeadFitConfig::fields(Fields& f) {
  f.field("l2", l2, "strengths of the penalty on the head to try, strongest first");
  f.field("validation", validation, "share of the comparisons that chooses the strength");
  f.field("iterations", iterations, "of L-BFGS, per strength");
  f.field("micro_tokens", micro_tokens, "tokens per forward pass");
  f.field("members", members, "heads of an ensemble, each fitted to comparisons drawn with replacement");
  f.field("seed", seed, "which comparisons validate, and which a member of the ensemble gets");
}

void HeadFitConfig::validate() const {
  const auto require = [](bool holds, const char* field, const char* what) {
    if (!holds) throw Error({.category = Category::usage, .where = field, .what = what, .fix = "The defaults are a good start."});
  };
  require(!l2.empty() && *std::min_element(l2.begin(), l2.end()) > 0, "l2", "the list is empty, or an entry is not more than 0");
  require(validation > 0 && validation < 1, "validation", "it is not between 0 and 1");
  require(members >= 0, "members", "it is negative");
  require(iterations > 0, "iterations", "it is not at least 1");
}

Tensor fit_choice(const Tensor& features, std::span<const data::Comparison* const> comparisons, double l2, std::int64_t iterations,
                  const Tensor& start) {
  const at::NoGradGuard no_grad;
  Point now = evaluate(features, comparisons, start.defined() ? start : at::zeros({features.size(1)}), l2);
  History history;
  for (std::int64_t i = 0; i < iterations; ++i) {
    const Tensor direction = history.direction(now.gradient);
    const double slope = product(now.gradient, direction);
    if (slope > -1e-10) break;
    double length = i == 0 ? std::min(1.0, 1.0 / std::sqrt(-slope)) : 1.0;
    Point next = evaluate(features, comparisons, now.weight + length * direction, l2);
    // Armijo's rule: a step has to gain at least a ten-thousandth of what the slope promises.
    while (!(next.loss <= now.loss + 1e-4 * length * slope) && length > 1e-6) {
      length /= 2;
      next = evaluate(features, comparisons, now.weight + length * direction, l2);
    }
    if (!(next.loss < now.loss)) break;
    history.add(now, next);
    now = std::move(next);
  }
  return now.weight;
}

std::vector<data::Example> items_of(std::span<const data::Comparison> comparisons) {
  std::vector<data::Example> examples;
  for (const auto& comparison : comparisons)
    for (const auto& item : comparison.items) examples.push_back(scored_example(comparison.prompt, item));
  return examples;
}

HeadFit fit_head(RewardModel& model, std::span<const data::Comparison> comparisons, const HeadFitConfig& config,
                 const std::function<void(std::int64_t done, std::int64_t items)>& progress) {
  config.validate();
  if (comparisons.size() < 2)
    throw Error({.category = Category::bad_data, .where = "reward model", .what = std::to_string(comparisons.size()) + " comparisons are too few to fit and validate a head", .fix = "Collect more."});
  const at::NoGradGuard no_grad;
  const auto examples = items_of(comparisons);
  std::vector<Tensor> parts;
  constexpr std::size_t at_once = 256;
  for (std::size_t i = 0; i < examples.size(); i += at_once) {
    parts.push_back(pooled_features(model, std::span(examples).subspan(i, std::min(at_once, examples.size() - i)), config.micro_tokens));
    if (progress) progress(static_cast<std::int64_t>(std::min(i + at_once, examples.size())), static_cast<std::int64_t>(examples.size()));
  }
  Tensor features = at::cat(parts);
  const Tensor mean = features.mean(0), spread = at::std(features, 0, /*unbiased=*/false).clamp_min(1e-6);
  features = (features - mean) / spread;

  const Chosen chosen = choose_l2(features, comparisons, config);
  Judgements all;
  for (const auto& comparison : comparisons) all.push_back(&comparison);
  const Tensor weight = fit_choice(features, all, chosen.l2, config.iterations, chosen.weight);

  model.head.weight = (weight / spread).unsqueeze(0);
  model.head.bias = -at::dot(weight, mean / spread).view({1});
  model.gain.fill_(1);
  model.bias.zero_();
  return {.l2 = chosen.l2, .train_loss = best_of_n_loss(at::mv(features, weight), all).loss.item<double>(),
          .validation_loss = chosen.loss, .validation_accuracy = chosen.accuracy,
          .members = config.members > 0 ? bootstrap(features, comparisons, config, chosen.l2, weight) / spread : Tensor()};
}

}  // namespace rlhf::algorithms
