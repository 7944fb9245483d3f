#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "rlhf/algorithms/agreement.h"
#include "rlhf/algorithms/reward_model.h"
#include "rlhf/core/fields.h"
#include "rlhf/data/comparison.h"

namespace rlhf::algorithms {

/// Fits a reward head on a frozen trunk: features once, then a convex problem.
struct HeadFitConfig {
  /// Weights of |w|^2 / 2 to try, strongest first; the one with the best validation loss is taken and refitted on all.
  std::vector<double> l2 = {1, 0.3, 0.1, 0.03, 0.01, 0.003};
  double validation = 0.15;         // share of the comparisons that chooses l2
  std::int64_t iterations = 60;     // of L-BFGS, per l2
  std::int64_t micro_tokens = 8192;
  std::int64_t members = 0;         // of an ensemble beside the head: each fitted to comparisons drawn with replacement
  std::uint64_t seed = 0;           // which comparisons validate, and which a member gets

  void fields(Fields& f);
  void validate() const;
};

struct HeadFit {
  double l2 = 0;               // the one chosen
  double train_loss = 0;       // nats per judgement, all of them, without the penalty
  double validation_loss = 0;  // at the chosen l2, before the refit
  double validation_accuracy = 0;
  Tensor members;              // [members, width] weights on plain features; where their scores differ, little is known
};

/// A minimum of  best_of_n_loss(features · w) + l2 / 2 |w|^2.
///   features  [items, width]
/// Returns w [width]. `start` may be undefined: zeros.
Tensor fit_choice(const Tensor& features, std::span<const data::Comparison* const> comparisons, double l2, std::int64_t iterations,
                  const Tensor& start = {});

/// Replaces the model's head. Features are standardised for the fit, and the scaling folded into the head.
HeadFit fit_head(RewardModel& model, std::span<const data::Comparison> comparisons, const HeadFitConfig& config,
                 const std::function<void(std::int64_t done, std::int64_t items)>& progress = {});

/// All items of the comparisons, one after the other, as examples.
std::vector<data::Example> items_of(std::span<const data::Comparison> comparisons);

}  // namespace rlhf::algorithms
