#include "rlhf/algorithms/returns.h"

#include <ATen/ops/empty_like.h>

#include <cmath>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

// A plain loop over floats beats a dozen tensor operations a token; the copy is made for views and other devices only.
Tensor plain(const Tensor& values) { return values.detach().to(at::kCPU, at::kFloat).contiguous(); }

void require_ragged(const char* where, const Tensor& values, std::span<const std::int64_t> starts) {
  if (values.dim() == 1 && !starts.empty() && starts.front() == 0 && starts.back() == values.size(0)) return;
  throw Error({.category = Category::usage,
               .where = where,
               .what = "expected a tensor [tokens] and starts that run from 0 to tokens; got " + std::to_string(values.dim()) +
                       " dimensions, " + std::to_string(values.numel()) + " tokens, starts up to " +
                       (starts.empty() ? "nothing" : std::to_string(starts.back())),
               .fix = "Pass starts = {0, length of the first, length of the first two, ...}."});
}

void require_one_each(const char* where, const Tensor& after, std::span<const std::int64_t> starts) {
  if (after.dim() == 1 && after.size(0) + 1 == std::ssize(starts)) return;
  throw Error({.category = Category::usage,
               .where = where,
               .what = std::to_string(after.numel()) + " values after " + std::to_string(starts.size() - 1) + " sequences",
               .fix = "Give one for each sequence, 0 where it ended."});
}

void require_share(const char* field, double value) {
  if (value >= 0 && value <= 1) return;
  throw Error({.category = Category::usage,
               .where = field,
               .what = std::to_string(value) + " is not in 0..1",
               .fix = "Take 1 for text, 0.99 for control; 0.95 to 1 for lambda."});
}

}  // namespace

void GaeConfig::fields(Fields& f) {
  f.field("gamma", gamma, "discount per token, 0..1");
  f.field("lambda", lambda, "generalised advantage estimation: 0 = one step, 1 = Monte Carlo");
}

void GaeConfig::validate() const {
  require_share("gae.gamma", gamma);
  require_share("gae.lambda", lambda);
}

Targets gae(const Tensor& rewards, const Tensor& values, std::span<const std::int64_t> starts, const GaeConfig& config,
            const Tensor& after) {
  require_ragged("gae", rewards, starts);
  require_ragged("gae", values, starts);
  if (after.defined()) require_one_each("gae", after, starts);
  const Tensor after_tensor = after.defined() ? plain(after) : Tensor();
  const Tensor reward_tensor = plain(rewards), value_tensor = plain(values);
  Targets targets{.advantages = at::empty_like(reward_tensor), .returns = at::empty_like(reward_tensor)};
  const float* reward = reward_tensor.const_data_ptr<float>();
  const float* value = value_tensor.const_data_ptr<float>();
  float* advantages = targets.advantages.mutable_data_ptr<float>();
  float* returns = targets.returns.mutable_data_ptr<float>();
  for (std::size_t sequence = 0; sequence + 1 < starts.size(); ++sequence) {
    double next_value = after.defined() ? after_tensor.const_data_ptr<float>()[sequence] : 0.0, advantage = 0;
    for (std::int64_t t = starts[sequence + 1] - 1; t >= starts[sequence]; --t) {
      const double delta = reward[t] + config.gamma * next_value - value[t];
      advantage = delta + config.gamma * config.lambda * advantage;
      advantages[t] = static_cast<float>(advantage);
      returns[t] = static_cast<float>(advantage + value[t]);
      next_value = value[t];
    }
  }
  return targets;
}

Tensor discounted_returns(const Tensor& rewards, std::span<const std::int64_t> starts, double gamma) {
  require_ragged("discounted_returns", rewards, starts);
  const Tensor reward_tensor = plain(rewards);
  Tensor result = at::empty_like(reward_tensor);
  const float* reward = reward_tensor.const_data_ptr<float>();
  float* sums = result.mutable_data_ptr<float>();
  for (std::size_t sequence = 0; sequence + 1 < starts.size(); ++sequence) {
    double sum = 0;
    for (std::int64_t t = starts[sequence + 1] - 1; t >= starts[sequence]; --t)
      sums[t] = static_cast<float>(sum = reward[t] + gamma * sum);
  }
  return result;
}

Tensor whiten(const Tensor& values, const Tensor& mask, const WhitenOptions& options) {
  const Tensor flat = plain(values);
  const Tensor keep = mask.defined() ? mask.to(at::kCPU, at::kBool).contiguous() : Tensor();
  const float* value = flat.const_data_ptr<float>();
  const bool* counts = keep.defined() ? keep.const_data_ptr<bool>() : nullptr;
  const std::int64_t size = flat.numel();

  double sum = 0, squares = 0;
  std::int64_t counted = 0;
  for (std::int64_t i = 0; i < size; ++i)
    if (!counts || counts[i]) sum += value[i], ++counted;
  if (counted < 2)
    throw Error({.category = Category::usage,
                 .where = "whiten",
                 .what = "needs at least 2 values to take a variance; got " + std::to_string(counted),
                 .fix = "Use a larger minibatch, or turn whitening off."});
  const double mean = sum / counted;
  for (std::int64_t i = 0; i < size; ++i)
    if (!counts || counts[i]) squares += (value[i] - mean) * (value[i] - mean);
  const double variance = squares / (options.unbiased ? counted - 1 : counted);
  const double scale = 1 / (options.floor_deviation ? std::sqrt(variance) + 1e-8 : std::sqrt(variance + 1e-8));
  const double kept_mean = options.shift_mean ? 0 : mean;

  Tensor result = at::empty_like(flat);
  float* out = result.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < size; ++i)
    out[i] = !counts || counts[i] ? static_cast<float>((value[i] - mean) * scale + kept_mean) : value[i];
  return result;
}

}  // namespace rlhf::algorithms
