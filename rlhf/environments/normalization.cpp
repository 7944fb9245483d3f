#include "rlhf/environments/normalization.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

Spec shown(const Spec& inner, const NormalizationConfig& config) {
  Spec spec = inner;
  if (config.observations) {
    const auto& seen = std::get<Box>(inner.observation);
    if (seen.dtype != Dtype::float32 && seen.dtype != Dtype::float64)
      throw Error({.category = Category::usage,
                   .where = "normalization.observations",
                   .what = "the observations of " + inner.name + " are no floating-point numbers",
                   .fix = "Leave them as they are; networks read pictures divided by 255 and whole numbers as units."});
    spec.observation = Box{.dtype = Dtype::float32,
                           .shape = seen.shape,
                           .low = {-config.observation_clip},
                           .high = {config.observation_clip}};
  }
  auto settings = config;
  spec.settings["normalization"] = rlhf::to_json(settings);
  return spec;
}

/// As float64, [rows, numbers], whatever it was.
Tensor in_double(const Tensor& seen) { return seen.to(at::kDouble).contiguous(); }

}  // namespace

void NormalizationConfig::validate() const {
  require_setting(observation_clip > 0, "observation_clip", "Give more than 0.");
  require_setting(reward_clip > 0, "reward_clip", "Give more than 0.");
  require_setting(gamma >= 0 && gamma <= 1, "gamma", "Give 0 to 1.");
  require_setting(epsilon > 0, "epsilon", "Give a small number above 0.");
}

void RunningMoments::add(const double* numbers, std::int64_t rows) {
  const auto width = mean.size();
  const double added = static_cast<double>(rows), total = count + added;
  for (std::size_t i = 0; i < width; ++i) {
    double sum = 0, squares = 0;
    for (std::int64_t row = 0; row < rows; ++row) sum += numbers[static_cast<std::size_t>(row) * width + i];
    const double of_these = sum / added;
    for (std::int64_t row = 0; row < rows; ++row) {
      const double off = numbers[static_cast<std::size_t>(row) * width + i] - of_these;
      squares += off * off;
    }
    const double apart = of_these - mean[i];
    variance[i] = (variance[i] * count + squares + apart * apart * count * added / total) / total;
    mean[i] += apart * added / total;
  }
  count = total;
}

nlohmann::json to_json(const RunningMoments& moments) {
  return {{"count", moments.count}, {"mean", moments.mean}, {"variance", moments.variance}};
}

RunningMoments moments_from_json(const nlohmann::json& record, std::size_t numbers) {
  try {
    RunningMoments moments;
    moments.count = record.at("count").get<double>();
    moments.mean = record.at("mean").get<std::vector<double>>();
    moments.variance = record.at("variance").get<std::vector<double>>();
    if (moments.mean.size() == numbers && moments.variance.size() == numbers) return moments;
  } catch (const nlohmann::json::exception&) {
  }
  throw Error({.category = Category::bad_data,
               .where = "normalization",
               .what = "these are no statistics of such observations",
               .fix = "Take those that were saved with the same environment and settings."});
}

Normalized::Normalized(std::unique_ptr<VectorEnvironment> inner, const NormalizationConfig& config)
    : inner_(std::move(inner)),
      config_(config),
      spec_(shown(inner_->spec(), config)),
      observed_(config.observations ? observed_numbers(spec_) : 0),
      returned_(1) {
  config_.validate();
  out_ = make_vector_step(spec_, {.count = count(), .auto_reset = auto_reset()});
  returns_.assign(static_cast<std::size_t>(count()), 0.0);
}

/// (seen - mean) / standard deviation, clipped.
void Normalized::show(const Tensor& seen, const Tensor& out) const {
  if (!config_.observations) {
    out.copy_(seen);
    return;
  }
  const auto plain = in_double(seen);
  const auto* from = plain.const_data_ptr<double>();
  auto* to = out.mutable_data_ptr<float>();
  const auto width = observed_.mean.size();
  std::vector<double> scale(width);
  for (std::size_t i = 0; i < width; ++i) scale[i] = std::sqrt(observed_.variance[i] + config_.epsilon);
  const double clip = config_.observation_clip;
  for (std::int64_t row = 0; row < count(); ++row)
    for (std::size_t i = 0; i < width; ++i, ++from, ++to)
      *to = static_cast<float>(std::clamp((*from - observed_.mean[i]) / scale[i], -clip, clip));
}

void Normalized::learn_observations() {
  if (!config_.observations || frozen_) return;
  observed_.add(in_double(inner_->observations()).const_data_ptr<double>(), count());
}

const Tensor& Normalized::reset(std::uint64_t seed) {
  inner_->reset(seed);
  std::fill(returns_.begin(), returns_.end(), 0.0);
  learn_observations();
  clear_flags(out_);
  show(inner_->observations(), out_.observations);
  return out_.observations;
}

void Normalized::normalize_rewards(const VectorStep& step) {
  const auto* rewards = step.rewards.const_data_ptr<double>();
  auto* out = out_.rewards.mutable_data_ptr<double>();
  std::copy_n(rewards, count(), out);
  if (!config_.rewards || frozen_) return;
  for (std::size_t i = 0; i < returns_.size(); ++i) returns_[i] = config_.gamma * returns_[i] + rewards[i];
  returned_.add(returns_.data(), count());
  const double scale = std::sqrt(returned_.variance[0] + config_.epsilon), clip = config_.reward_clip;
  const auto* terminated = step.terminated.const_data_ptr<bool>();
  const auto* truncated = step.truncated.const_data_ptr<bool>();
  for (std::size_t i = 0; i < returns_.size(); ++i) {
    out[i] = std::clamp(rewards[i] / scale, -clip, clip);
    if (terminated[i] || truncated[i]) returns_[i] = 0;
  }
}

const VectorStep& Normalized::step(const Tensor& actions) {
  const auto& step = inner_->step(actions);
  learn_observations();
  normalize_rewards(step);
  show(step.observations, out_.observations);
  if (step.ended > 0 && step.final_observations.defined()) show(step.final_observations, out_.final_observations);
  out_.terminated = step.terminated;
  out_.truncated = step.truncated;
  out_.true_rewards = earned(step);
  out_.ended = step.ended;
  return out_;
}

nlohmann::json Normalized::statistics() const {
  return {{"observations", to_json(observed_)}, {"returns", to_json(returned_)}};
}

void Normalized::set_statistics(const nlohmann::json& statistics) {
  observed_ = moments_from_json(statistics.value("observations", nlohmann::json()), observed_.mean.size());
  returned_ = moments_from_json(statistics.value("returns", nlohmann::json()), 1);
}

std::string Normalized::state() const {
  const auto inner = inner_->state();
  const auto packed = nlohmann::json::to_cbor({{"inner", nlohmann::json::binary({inner.begin(), inner.end()})},
                                               {"statistics", statistics()},
                                               {"running", returns_}});
  return {packed.begin(), packed.end()};
}

void Normalized::set_state(std::string_view bytes) {
  const auto record = nlohmann::json::from_cbor(bytes.begin(), bytes.end(), true, false);
  const bool good = record.is_object() && record.contains("inner") && record["inner"].is_binary() &&
                    record.contains("statistics") && record.value("running", nlohmann::json()).is_array() &&
                    record["running"].size() == returns_.size();
  if (!good) throw_no_state(spec_);
  const auto& inner = record["inner"].get_binary();
  inner_->set_state({reinterpret_cast<const char*>(inner.data()), inner.size()});
  set_statistics(record["statistics"]);
  returns_ = record["running"].get<std::vector<double>>();
  clear_flags(out_);
  show(inner_->observations(), out_.observations);
}

std::unique_ptr<VectorEnvironment> normalized(std::unique_ptr<VectorEnvironment> inner,
                                              const NormalizationConfig& config) {
  if (!config.any()) return inner;
  return std::make_unique<Normalized>(std::move(inner), config);
}

std::unique_ptr<VectorEnvironment> as_seen_in(const VectorEnvironment& trained,
                                              std::unique_ptr<VectorEnvironment> fresh) {
  const auto* seen = dynamic_cast<const Normalized*>(&trained);
  if (!seen) return fresh;
  auto same = std::make_unique<Normalized>(std::move(fresh), seen->config());
  same->set_statistics(seen->statistics());
  same->freeze();
  return same;
}

}  // namespace rlhf::environments
