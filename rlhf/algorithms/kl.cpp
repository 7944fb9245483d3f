#include "rlhf/algorithms/kl.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/square.h>

#include <algorithm>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {

Tensor estimate_kl(KlEstimator estimator, const Tensor& logprobs, const Tensor& reference_logprobs) {
  if (logprobs.sizes() != reference_logprobs.sizes())
    throw Error({.category = Category::usage,
                 .where = "estimate_kl",
                 .what = std::to_string(logprobs.numel()) + " logprobs but " + std::to_string(reference_logprobs.numel()) +
                         " reference logprobs",
                 .fix = "Take both from the same packed batch."});
  const Tensor log_ratio = logprobs - reference_logprobs;
  switch (estimator) {
    case KlEstimator::k1: return log_ratio;
    case KlEstimator::k2: return 0.5 * at::square(log_ratio);
    case KlEstimator::k3: return at::expm1(-log_ratio) + log_ratio;
  }
  return log_ratio;
}

void KlConfig::fields(Fields& f) {
  f.choice("control", control, {{"fixed", KlControl::fixed}, {"adaptive", KlControl::adaptive}}, "whether the coefficient is steered to the target");
  f.field("coefficient", coefficient, "reward lost per nat of KL to the reference; the first one when adaptive");
  f.field("target", target, "nats per completion that the adaptive coefficient steers to");
  f.field("horizon", horizon, "completions over which the adaptive coefficient may change by a fifth");
  f.choice("estimator", estimator, {{"k1", KlEstimator::k1}, {"k2", KlEstimator::k2}, {"k3", KlEstimator::k3}},
           "how the KL of a token is estimated: k1 = log ratio, k2 = half its square, k3 = exp(-d) - 1 + d");
}

void KlConfig::validate() const {
  const auto wrong = [](const char* field, double value, const char* expected) {
    return Error({.category = Category::usage, .where = field, .what = std::to_string(value) + " is not " + expected, .fix = ""});
  };
  if (!(coefficient >= 0)) throw wrong("kl.coefficient", coefficient, "0 or more");
  if (control == KlControl::adaptive && !(target > 0)) throw wrong("kl.target", target, "more than 0 nats");
  if (control == KlControl::adaptive && !(horizon > 0)) throw wrong("kl.horizon", horizon, "more than 0 completions");
}

void KlController::update(double kl, std::int64_t completions) {
  if (config_.control == KlControl::fixed) return;
  const double error = std::clamp(kl / config_.target - 1, -0.2, 0.2);
  coefficient_ *= 1 + error * static_cast<double>(completions) / config_.horizon;
}

void KlController::save(State& state) const { state.values["kl_coefficient"] = coefficient_; }

void KlController::restore(const State& state) { coefficient_ = state.values.at("kl_coefficient").get<double>(); }

}  // namespace rlhf::algorithms
