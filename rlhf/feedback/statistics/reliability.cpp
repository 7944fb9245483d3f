#include "rlhf/feedback/statistics/reliability.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace rlhf::feedback::statistics {
namespace {

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

/// log sigma(x), without overflow.
double log_sigmoid(double x) { return x < 0.0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x)); }

double clipped(double step) { return std::clamp(step, -1.0, 1.0); }

class Fit {
 public:
  Fit(std::span<const Judged> answers, int annotators, int items, const ReliabilityOptions& options)
      : answers_(answers), options_(options), of_item_(static_cast<std::size_t>(items)),
        of_annotator_(static_cast<std::size_t>(annotators)) {
    model_.strength.assign(of_item_.size(), 0.0);
    model_.reliability.assign(of_annotator_.size(), 1.0);
    model_.side.assign(of_annotator_.size(), 0.0);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      of_item_[static_cast<std::size_t>(answers[i].one)].push_back(i);
      of_item_[static_cast<std::size_t>(answers[i].other)].push_back(i);
      of_annotator_[static_cast<std::size_t>(answers[i].annotator)].push_back(i);
    }
  }

  Reliability run() {
    double moved = 1.0;
    for (; model_.rounds < options_.rounds && moved > options_.tolerance; ++model_.rounds) {
      moved = 0.0;
      for (std::size_t i = 0; i < of_item_.size(); ++i) moved = std::max(moved, move_item(i));
      for (std::size_t u = 0; u < of_annotator_.size(); ++u) moved = std::max(moved, move_annotator(u));
    }
    return std::move(model_);
  }

 private:
  double gap(const Judged& each) const {
    return model_.strength[static_cast<std::size_t>(each.one)] - model_.strength[static_cast<std::size_t>(each.other)];
  }
  double chance(const Judged& each, double beta, double b) const { return sigmoid(beta * gap(each) + b * each.side); }

  /// One Newton step of an item's strength.
  double move_item(std::size_t item) {
    const double precision = 1.0 / (options_.strength_deviation * options_.strength_deviation);
    double slope = -precision * model_.strength[item], curve = precision;
    for (const auto i : of_item_[item]) {
      const auto& each = answers_[i];
      const auto u = static_cast<std::size_t>(each.annotator);
      const double p = chance(each, model_.reliability[u], model_.side[u]);
      const double beta = model_.reliability[u] * (static_cast<std::size_t>(each.one) == item ? 1.0 : -1.0);
      slope += beta * (each.preferred - p);
      curve += beta * beta * p * (1.0 - p);
    }
    const double step = clipped(slope / curve);
    model_.strength[item] += step;
    return std::abs(step);
  }

  double posterior(std::size_t u, double beta, double b) const {
    const double from_one = (beta - 1.0) / options_.reliability_deviation, from_none = b / options_.side_deviation;
    double sum = -0.5 * (from_one * from_one + from_none * from_none);
    for (const auto i : of_annotator_[u]) {
      const double x = beta * gap(answers_[i]) + b * answers_[i].side;
      sum += answers_[i].preferred * log_sigmoid(x) + (1.0 - answers_[i].preferred) * log_sigmoid(-x);
    }
    return sum;
  }

  /// One Newton step of an annotator's two numbers together, halved until it does not make things worse.
  double move_annotator(std::size_t u) {
    double &beta = model_.reliability[u], &b = model_.side[u];
    const double beta_precision = 1.0 / (options_.reliability_deviation * options_.reliability_deviation);
    const double side_precision = 1.0 / (options_.side_deviation * options_.side_deviation);
    std::array<double, 2> slope = {-beta_precision * (beta - 1.0), -side_precision * b};
    double curve_beta = beta_precision, curve_side = side_precision, curve_both = 0.0;
    for (const auto i : of_annotator_[u]) {
      const auto& each = answers_[i];
      const double p = chance(each, beta, b), weight = p * (1.0 - p), apart = gap(each);
      slope[0] += apart * (each.preferred - p);
      slope[1] += each.side * (each.preferred - p);
      curve_beta += weight * apart * apart, curve_side += weight * each.side * each.side;
      curve_both += weight * apart * each.side;
    }
    const double determinant = curve_beta * curve_side - curve_both * curve_both;
    double step_beta = (curve_side * slope[0] - curve_both * slope[1]) / determinant;
    double step_side = (curve_beta * slope[1] - curve_both * slope[0]) / determinant;
    const double before = posterior(u, beta, b);
    for (int halved = 0; halved < 30 && posterior(u, beta + step_beta, b + step_side) < before - 1e-12; ++halved)
      step_beta /= 2, step_side /= 2;
    beta += step_beta, b += step_side;
    return std::max(std::abs(step_beta), std::abs(step_side));
  }

  std::span<const Judged> answers_;
  const ReliabilityOptions& options_;
  std::vector<std::vector<std::size_t>> of_item_, of_annotator_;  // places in `answers_`
  Reliability model_;
};

}  // namespace

Reliability fit_reliability(std::span<const Judged> answers, int annotators, int items,
                            const ReliabilityOptions& options) {
  return Fit(answers, annotators, items, options).run();
}

}  // namespace rlhf::feedback::statistics
