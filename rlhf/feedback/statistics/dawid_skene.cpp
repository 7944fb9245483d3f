#include "rlhf/feedback/statistics/dawid_skene.h"

#include <algorithm>
#include <cmath>

namespace rlhf::feedback::statistics {
namespace {

using Rows = std::vector<std::vector<double>>;

void normalise(std::vector<double>& row) {
  double sum = 0.0;
  for (const double each : row) sum += each;
  for (auto& each : row) each = sum > 0.0 ? each / sum : 1.0 / static_cast<double>(row.size());
}

Rows plain_vote(std::span<const Given> answers, std::size_t items, std::size_t categories) {
  Rows votes(items, std::vector<double>(categories, 0.0));
  for (const auto& each : answers) votes[static_cast<std::size_t>(each.item)][static_cast<std::size_t>(each.value)] += 1.0;
  for (auto& row : votes) normalise(row);
  return votes;
}

/// Shares and confusion tables from what is probably true.
void maximise(std::span<const Given> answers, const std::vector<bool>& answered, double smoothing, DawidSkene& model) {
  std::fill(model.share.begin(), model.share.end(), 0.0);
  for (std::size_t i = 0; i < model.posterior.size(); ++i)
    for (std::size_t k = 0; answered[i] && k < model.share.size(); ++k) model.share[k] += model.posterior[i][k];
  normalise(model.share);
  for (auto& table : model.confusion)
    for (auto& row : table) std::fill(row.begin(), row.end(), smoothing);
  for (const auto& each : answers) {
    auto& table = model.confusion[static_cast<std::size_t>(each.annotator)];
    const auto& truth = model.posterior[static_cast<std::size_t>(each.item)];
    for (std::size_t k = 0; k < truth.size(); ++k) table[k][static_cast<std::size_t>(each.value)] += truth[k];
  }
  for (auto& table : model.confusion)
    for (auto& row : table) normalise(row);
}

/// What is probably true from shares and confusion tables; returns how far a posterior moved at most.
double expect(std::span<const Given> answers, DawidSkene& model) {
  const auto categories = model.share.size();
  auto logs = model.confusion;
  for (auto& table : logs)
    for (auto& row : table)
      for (auto& each : row) each = std::log(std::max(each, 1e-300));
  std::vector<double> start(categories);
  for (std::size_t k = 0; k < categories; ++k) start[k] = std::log(std::max(model.share[k], 1e-300));
  Rows now(model.posterior.size(), start);
  for (const auto& each : answers) {
    auto& row = now[static_cast<std::size_t>(each.item)];
    const auto& table = logs[static_cast<std::size_t>(each.annotator)];
    for (std::size_t k = 0; k < categories; ++k) row[k] += table[k][static_cast<std::size_t>(each.value)];
  }
  double moved = 0.0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const double highest = *std::max_element(now[i].begin(), now[i].end());
    for (auto& each : now[i]) each = std::exp(each - highest);
    normalise(now[i]);
    for (std::size_t k = 0; k < categories; ++k) moved = std::max(moved, std::abs(now[i][k] - model.posterior[i][k]));
  }
  model.posterior = std::move(now);
  return moved;
}

}  // namespace

DawidSkene dawid_skene(std::span<const Given> answers, int annotators, int items, int categories,
                       const DawidSkeneOptions& options) {
  const auto kinds = static_cast<std::size_t>(categories);
  DawidSkene model{.share = std::vector<double>(kinds),
                   .confusion = {static_cast<std::size_t>(annotators), Rows(kinds, std::vector<double>(kinds))},
                   .posterior = plain_vote(answers, static_cast<std::size_t>(items), kinds),
                   .accuracy = std::vector<double>(static_cast<std::size_t>(annotators), 0.0)};
  std::vector<bool> answered(static_cast<std::size_t>(items), false);
  for (const auto& each : answers) answered[static_cast<std::size_t>(each.item)] = true;
  double moved = 1.0;
  for (; model.rounds < options.rounds && moved > options.tolerance; ++model.rounds) {
    maximise(answers, answered, options.smoothing, model);
    moved = expect(answers, model);
  }
  for (std::size_t a = 0; a < model.accuracy.size(); ++a)
    for (std::size_t k = 0; k < kinds; ++k) model.accuracy[a] += model.share[k] * model.confusion[a][k][k];
  return model;
}

}  // namespace rlhf::feedback::statistics
