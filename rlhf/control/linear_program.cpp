#include "rlhf/control/linear_program.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

constexpr double tolerance = 1e-9, smallest_pivot = 1e-9;
constexpr double none = std::numeric_limits<double>::infinity();

/// Basic variables as functions of the others:  basic_i = constant_i - sum_j table_ij other_j,
/// value = constant + sum_j gain_j other_j.
class Dictionary {
 public:
  explicit Dictionary(const LinearProgram& program)
      : others_(program.objective.size()), table_(program.rows), constants_(program.limits), gains_(program.objective) {
    for (std::size_t j = 0; j < others_.size(); ++j)
      others_[j] = {.name = j, .upper = program.upper[j], .at_upper = program.objective[j] > 0};
    for (std::size_t i = 0; i < constants_.size(); ++i) basics_.push_back({.name = others_.size() + i, .upper = none});
  }

  /// Variables by name, the first `count`.
  LinearSolution solution(std::size_t count, const std::vector<double>& objective) const {
    LinearSolution found{.x = std::vector<double>(count, 0.0)};
    for (const auto& other : others_)
      if (other.name < count) found.x[other.name] = other.value();
    for (std::size_t i = 0; i < basics_.size(); ++i)
      if (basics_[i].name < count) found.x[basics_[i].name] = value_of(i);
    for (std::size_t j = 0; j < count; ++j) found.value += objective[j] * found.x[j];
    return found;
  }

  enum class Outcome { goes_on, optimal, impossible };

  /// One exchange. `by_name`: of all possible ones the first by name, which cannot go round in circles (Bland 1977).
  Outcome step(bool by_name) {
    std::size_t leaving = basics_.size();
    double worst = tolerance;
    bool below = false;
    for (std::size_t i = 0; i < basics_.size(); ++i) {
      const double value = value_of(i), missing = std::max(-value, value - basics_[i].upper);
      const bool first = leaving == basics_.size();
      if (missing <= tolerance || (by_name ? !first && basics_[i].name > basics_[leaving].name : missing <= worst))
        continue;
      leaving = i, worst = missing, below = value < 0;
    }
    if (leaving == basics_.size()) return Outcome::optimal;
    const auto entering = cheapest(leaving, below, by_name);
    if (entering == others_.size()) return Outcome::impossible;
    exchange(leaving, entering, /*to_upper=*/!below);
    return Outcome::goes_on;
  }

 private:
  struct Variable {
    std::size_t name = 0;
    double upper = none;
    bool at_upper = false;  // for those that are not basic
    double value() const { return at_upper ? upper : 0.0; }
  };

  double value_of(std::size_t i) const {
    double value = constants_[i];
    for (std::size_t j = 0; j < others_.size(); ++j)
      if (others_[j].at_upper) value -= table_[i][j] * others_[j].upper;
    return value;
  }

  /// The variable whose move mends the row and costs the objective least; others_.size() where none can.
  std::size_t cheapest(std::size_t row, bool below, bool by_name) const {
    std::size_t best = others_.size();
    double least = none;
    for (std::size_t j = 0; j < others_.size(); ++j) {
      if (others_[j].upper == 0) continue;  // it cannot move
      const double slope = table_[row][j], helps = (below == others_[j].at_upper) ? slope : -slope;
      if (helps <= smallest_pivot) continue;
      const double cost = std::abs(gains_[j] / slope);
      const bool tie = best != others_.size() && std::abs(cost - least) <= 1e-12;
      if (tie ? (by_name ? others_[j].name < others_[best].name : std::abs(slope) > std::abs(table_[row][best]))
              : cost < least)
        best = j, least = std::min(least, cost);
    }
    return best;
  }

  void exchange(std::size_t i, std::size_t j, bool to_upper) {
    const double pivot = table_[i][j];
    auto& row = table_[i];
    for (auto& entry : row) entry /= pivot;
    constants_[i] /= pivot;
    row[j] = 1 / pivot;
    for (std::size_t r = 0; r < table_.size(); ++r) {
      if (r == i || table_[r][j] == 0) continue;
      const double factor = table_[r][j];
      for (std::size_t k = 0; k < row.size(); ++k) table_[r][k] -= k == j ? 0.0 : factor * row[k];
      constants_[r] -= factor * constants_[i];
      table_[r][j] = -factor / pivot;
    }
    const double gain = gains_[j];
    for (std::size_t k = 0; k < row.size(); ++k) gains_[k] -= k == j ? 0.0 : gain * row[k];
    gains_[j] = -gain / pivot;
    std::swap(basics_[i], others_[j]);
    others_[j].at_upper = to_upper;
  }

  std::vector<Variable> others_, basics_;
  std::vector<std::vector<double>> table_;
  std::vector<double> constants_, gains_;
};

}  // namespace

std::optional<LinearSolution> solve(const LinearProgram& program) {
  Dictionary dictionary(program);
  const auto size = program.objective.size() + program.limits.size();
  const std::size_t patience = 20 * size + 100, limit = 200 * size + 10000;
  for (std::size_t step = 0; step < limit; ++step) switch (dictionary.step(/*by_name=*/step > patience)) {
      case Dictionary::Outcome::goes_on:
        break;
      case Dictionary::Outcome::optimal:
        return dictionary.solution(program.objective.size(), program.objective);
      case Dictionary::Outcome::impossible:
        return std::nullopt;
    }
  throw Error({.category = Category::failure,
               .where = "linear program",
               .what = "found no end after " + std::to_string(limit) + " exchanges",
               .fix = "Take a smaller network, or another maximiser: gradient."});
}

}  // namespace rlhf::control
