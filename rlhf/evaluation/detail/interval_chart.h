#pragma once
#include <optional>
#include <string>
#include <vector>

namespace rlhf::evaluation::detail {

/// One of several that are compared: an estimate, its interval, and pale dots for what it was made from.
struct IntervalRow {
  std::string name;
  double value = 0.0;
  std::optional<double> low = std::nullopt, high = std::nullopt;
  std::vector<double> runs = {};
  std::string note = {};  // shown when the pointer rests on the row
};

struct IntervalChart {
  std::string title, caption, x_name;
  std::vector<IntervalRow> rows;                                      // from top to bottom
  std::optional<double> x_low = std::nullopt, x_high = std::nullopt;  // the axis covers at least these
  bool as_percent = false;
};

/// A <figure> with one inline SVG: a row for each, all on one scale. Empty without rows.
std::string figure(const IntervalChart& chart);

}  // namespace rlhf::evaluation::detail
