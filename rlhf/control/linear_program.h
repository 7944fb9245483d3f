#pragma once
#include <optional>
#include <vector>

namespace rlhf::control {

/// maximise objective . x   where   rows x <= limits   and   0 <= x <= upper, all of them finite.
struct LinearProgram {
  std::vector<double> objective, upper;   // [variables]
  std::vector<std::vector<double>> rows;  // [constraints][variables]
  std::vector<double> limits;             // [constraints]
};

struct LinearSolution {
  std::vector<double> x;
  double value = 0.0;
};

/// The dual simplex method with bounded variables (Lemke 1954; Koberstein 2005 for the bounds): with every variable in
/// a box, putting each at the end that its objective likes is dual feasible, so that there is one phase alone. Dense:
/// for some hundred variables. Nothing where no x fits. Throws rlhf::Error (failure) if it does not come to an end.
std::optional<LinearSolution> solve(const LinearProgram& program);

}  // namespace rlhf::control
