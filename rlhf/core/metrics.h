#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rlhf/core/tensor.h"

namespace rlhf {

/// One step's numbers, in the order they were added. A metrics struct fills it:
///
///   struct PpoMetrics {
///     Tensor kl;           // nats per completion
///     double accuracy;
///     void log(MetricRow& row) const {
///       row.add("objective/kl", kl);
///       row.add("accuracy", accuracy);
///     }
///   };
///
/// A tensor stays on its device until the row is written: a loop that only adds never waits for the device.
class MetricRow {
 public:
  void add(std::string_view name, double value);
  /// One element; detached here, read by `values`.
  void add(std::string_view name, const Tensor& scalar);

  bool empty() const { return entries_.empty(); }
  /// Reads the tensors: the one place that waits for a device. Throws rlhf::Error if a tensor has not exactly one
  /// element.
  std::vector<std::pair<std::string, double>> values() const;

 private:
  std::vector<std::pair<std::string, std::variant<double, Tensor>>> entries_;
};

/// Numbers that differ from run to run (times, speeds, memory) by their name: "time/...", "tokens_per_second/...",
/// "mem/...", "step_time". They are written to timing.jsonl, all others to metrics.jsonl, which is the same to the byte
/// for the same seed, stopped and resumed or not.
bool is_measured(std::string_view name);

}  // namespace rlhf
