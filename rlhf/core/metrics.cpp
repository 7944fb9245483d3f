#include "rlhf/core/metrics.h"

#include <algorithm>

#include "rlhf/core/error.h"

namespace rlhf {
namespace {

double read(const std::string& name, const Tensor& scalar) {
  if (!scalar.defined() || scalar.numel() != 1) {
    const auto found =
        scalar.defined() ? "a tensor of " + std::to_string(scalar.numel()) + " elements" : std::string("no tensor");
    throw Error({.category = Category::failure,
                 .where = "metric " + name,
                 .what = "expected one number; found " + found,
                 .fix = ""});
  }
  return scalar.item<double>();
}

}  // namespace

void MetricRow::add(std::string_view name, double value) { entries_.emplace_back(std::string(name), value); }

void MetricRow::add(std::string_view name, const Tensor& scalar) {
  entries_.emplace_back(std::string(name), scalar.defined() ? scalar.detach() : scalar);
}

std::vector<std::pair<std::string, double>> MetricRow::values() const {
  std::vector<std::pair<std::string, double>> all;
  all.reserve(entries_.size());
  for (const auto& [name, value] : entries_) {
    const auto* scalar = std::get_if<Tensor>(&value);
    all.emplace_back(name, scalar ? read(name, *scalar) : std::get<double>(value));
  }
  return all;
}

bool is_measured(std::string_view name) {
  return name == "step_time" || name.starts_with("time/") || name.starts_with("tokens_per_second/") ||
         name.starts_with("mem/");
}

}  // namespace rlhf
