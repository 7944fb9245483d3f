#include "rlhf/algorithms/reward_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_put.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

// Judgements as a rectangle: `column` says where each item sits, `target` where its probability should be.
struct Table {
  Tensor place;    // [items], int64: row * width + column
  Tensor present;  // [judgements, width], bool
  Tensor target;   // [judgements, width], strength spread over the preferred items
  Tensor pairs;    // [judgements, width]: 1 where an item is one that the preferred item beat
  Tensor best;     // [judgements], int64
  double strength = 0, pair_count = 0;
};

Table tabulate(std::int64_t items, std::span<const data::Comparison* const> comparisons) {
  std::int64_t width = 0, total = 0;
  for (const auto* comparison : comparisons) {
    const auto size = static_cast<std::int64_t>(comparison->items.size());
    if (size < 2 || (!comparison->tie && (comparison->best < 0 || comparison->best >= size)) || (comparison->tie && size != 2))
      throw Error({.category = Category::bad_data,
                   .where = "best_of_n_loss",
                   .what = "a comparison has " + std::to_string(size) + " items and best = " + std::to_string(comparison->best) +
                           (comparison->tie ? ", marked a tie" : ""),
                   .fix = "Two items or more, best counted from 0; only pairs may be ties."});
    width = std::max(width, size);
    total += size;
  }
  if (comparisons.empty() || total != items)
    throw Error({.category = Category::usage,
                 .where = "best_of_n_loss",
                 .what = std::to_string(items) + " scores for " + std::to_string(comparisons.size()) + " comparisons with " +
                         std::to_string(total) + " items",
                 .fix = "Pass one score per item, comparison after comparison."});

  const auto rows = static_cast<std::int64_t>(comparisons.size());
  Table table{.place = at::zeros({items}, at::kLong),
              .present = at::zeros({rows, width}, at::kBool),
              .target = at::zeros({rows, width}),
              .pairs = at::zeros({rows, width}),
              .best = at::zeros({rows}, at::kLong)};
  auto* place = table.place.mutable_data_ptr<std::int64_t>();
  auto* present = table.present.mutable_data_ptr<bool>();
  auto* target = table.target.mutable_data_ptr<float>();
  auto* pairs = table.pairs.mutable_data_ptr<float>();
  for (std::int64_t row = 0, item = 0; row < rows; ++row) {
    const data::Comparison& comparison = *comparisons[row];
    const auto size = static_cast<std::int64_t>(comparison.items.size());
    for (std::int64_t i = 0; i < size; ++i, ++item) {
      place[item] = row * width + i;
      present[row * width + i] = true;
      const bool preferred = comparison.tie || i == comparison.best;
      target[row * width + i] = static_cast<float>(preferred ? comparison.strength / (comparison.tie ? 2 : 1) : 0);
      pairs[row * width + i] = !comparison.tie && !preferred;
    }
    table.best.mutable_data_ptr<std::int64_t>()[row] = comparison.tie ? 0 : comparison.best;
    table.strength += comparison.strength;
    table.pair_count += comparison.tie ? 0 : static_cast<double>(size - 1);
  }
  return table;
}

}  // namespace

PreferenceLoss pairwise_loss(const Tensor& chosen, const Tensor& rejected) {
  if (chosen.sizes() != rejected.sizes() || chosen.numel() == 0)
    throw Error({.category = Category::usage,
                 .where = "pairwise_loss",
                 .what = std::to_string(chosen.numel()) + " chosen and " + std::to_string(rejected.numel()) + " rejected scores",
                 .fix = "Pass one of each per pair, and at least one pair."});
  const auto margin = chosen - rejected;  // [pairs]
  return {.loss = -at::log_sigmoid(margin).mean(),
          .metrics = {.accuracy = (margin > 0).to(at::kFloat).mean(), .margin = margin.detach().mean()}};
}

PreferenceLoss best_of_n_loss(const Tensor& scores, std::span<const data::Comparison* const> comparisons, double denominator) {
  const Table table = tabulate(scores.numel(), comparisons);
  const auto absent = table.present.logical_not();
  const auto grid = at::full(table.present.sizes(), -std::numeric_limits<float>::infinity())
                        .view(-1).index_put({table.place}, scores).view(table.present.sizes());  // [judgements, width]
  const auto log_share = at::log_softmax(grid, 1).masked_fill(absent, 0);
  const auto plain = grid.detach().masked_fill(absent, 0);
  const auto margin = plain.gather(1, table.best.unsqueeze(1)) - plain;
  const double pairs = std::max(1.0, table.pair_count);
  return {.loss = -(table.target * log_share).sum() / (denominator > 0 ? denominator : table.strength),
          .metrics = {.accuracy = (table.pairs * (margin > 0).to(at::kFloat)).sum() / pairs,
                      .margin = (table.pairs * margin).sum() / pairs}};
}

Tensor noisy_pairwise_losses(const Tensor& gap, const Tensor& preferred, double noise) {
  if (gap.sizes() != preferred.sizes() || gap.numel() == 0)
    throw Error({.category = Category::usage,
                 .where = "noisy_pairwise_loss",
                 .what = std::to_string(gap.numel()) + " gaps and " + std::to_string(preferred.numel()) + " answers",
                 .fix = "Pass one answer for each pair, and at least one pair."});
  const Tensor cut = gap.clamp(-50, 50);
  const Tensor first = at::log((1 - noise) * at::sigmoid(cut) + noise / 2);
  const Tensor second = at::log((1 - noise) * at::sigmoid(-cut) + noise / 2);
  return -(preferred * first + (1 - preferred) * second);
}

Tensor noisy_pairwise_loss(const Tensor& gap, const Tensor& preferred, double noise) {
  return noisy_pairwise_losses(gap, preferred, noise).mean();
}

}  // namespace rlhf::algorithms
