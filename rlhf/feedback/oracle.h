#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "rlhf/core/fields.h"
#include "rlhf/feedback/labeler.h"

namespace rlhf::feedback {

/// The truth that a simulated labeler knows: how good a completion is. Greater is better.
using GoldFn = std::function<double(const std::string& prompt, const std::string& completion)>;

struct OracleConfig {
  double error_rate = 0.0;  // share of answers that are a random pick instead, 0..1
  // Picks item i with probability ~ exp(rationality * gold_i); empty = always the best.
  std::optional<double> rationality = std::nullopt;
  double tie_threshold = 0.0;  // pairs that allow ties: a tie when gold values differ by at most this; 0 = never
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// A labeler who judges by `gold` (Ziegler et al. 2019 call it a mock labeler; Boltzmann-rational: Christiano et al.
/// 2017). It compares, ranks and rates; a question whose form requires more than that is skipped. Equal gold values are
/// decided at random. The answer is a function of (seed, question id) and of the items
/// alone. Throws rlhf::Error when `gold` returns something that is not a number.
std::unique_ptr<Labeler> make_oracle(GoldFn gold, OracleConfig config = {});

}  // namespace rlhf::feedback
