#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace rlhf::evaluation {

/// A group of pairs with similar learned margins |r_a - r_b|.
struct CalibrationBin {
  double low = 0.0, high = 0.0;  // smallest and largest margin in it, in units of the learned score
  double predicted = 0.0;        // mean of sigmoid(margin): the agreement a Bradley-Terry model promises
  double observed = 0.0;         // share of pairs that gold orders the same way
  std::int64_t pairs = 0;
};

struct Calibration {
  std::vector<CalibrationBin> bins;  // of about equal size, by rising margin; empty ones are left out
  double error = 0.0;                // mean |predicted - observed|, weighted by pairs (expected calibration error)

  /// {"error", "bins": [{"low", "high", "predicted", "observed", "pairs"}]}
  nlohmann::json to_json() const;
};

/// Is a margin of the reward model worth what it says? Pairs within a prompt, equal gold left out.
///
///   learned, gold, prompt  [samples]
///   bins                   how many groups of equal size, > 0
///
/// Throws rlhf::Error when the sizes differ or `bins` is not positive.
Calibration calibration(std::span<const double> learned, std::span<const double> gold,
                        std::span<const std::string> prompt, int bins = 8);

}  // namespace rlhf::evaluation
