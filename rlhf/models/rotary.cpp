#include "rlhf/models/rotary.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "rlhf/core/error.h"

namespace rlhf::models {
namespace {

using nlohmann::json;

double value_or(const json& scaling, const char* key, double otherwise) {
  return scaling.contains(key) && scaling[key].is_number() ? scaling[key].get<double>() : otherwise;
}

double required(const json& scaling, const char* key) {
  if (scaling.contains(key) && scaling[key].is_number()) return scaling[key].get<double>();
  throw Error({.category = Category::bad_data,
               .where = std::string("config.json: rope_scaling.") + key,
               .what = "the key is missing; the scaling is " + scaling.dump(),
               .fix = "Take the config.json of the original checkpoint."});
}

/// Llama 3.1: long wavelengths are slowed down by `factor`, short ones kept, those between blended.
void scale_llama3(const json& scaling, std::vector<double>& frequencies) {
  const double factor = required(scaling, "factor"), low = required(scaling, "low_freq_factor"),
               high = required(scaling, "high_freq_factor"),
               trained = required(scaling, "original_max_position_embeddings");
  for (auto& frequency : frequencies) {
    const double wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength > trained / low) {
      frequency /= factor;
    } else if (wavelength >= trained / high) {
      const double smooth = (trained / wavelength - low) / (high - low);
      frequency = (1 - smooth) * frequency / factor + smooth * frequency;
    }
  }
}

/// YaRN, section 3.2: dimensions that turn often are kept, those that never complete a turn are interpolated.
double scale_yarn(const json& scaling, double theta, double context, std::vector<double>& frequencies) {
  const double factor = required(scaling, "factor");
  const double trained = value_or(scaling, "original_max_position_embeddings", context);
  const double pairs = static_cast<double>(frequencies.size()), dim = 2 * pairs;
  const auto pair_turning = [&](double turns) {
    return dim * std::log(trained / (turns * 2 * std::numbers::pi)) / (2 * std::log(theta));
  };
  const double low = std::max(std::floor(pair_turning(value_or(scaling, "beta_fast", 32))), 0.0);
  double high = std::min(std::ceil(pair_turning(value_or(scaling, "beta_slow", 1))), dim - 1);
  if (high == low) high += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] *= (1 - ramp) + ramp / factor;
  }
  const double automatic = factor > 1 ? 0.1 * std::log(factor) + 1.0 : 1.0;
  return value_or(scaling, "attention_factor", automatic);
}

json scaling_of(const json& config) {
  for (const auto* key : {"rope_parameters", "rope_scaling"}) {
    if (config.contains(key) && config[key].is_object()) return config[key];
  }
  return json::object();
}

}  // namespace

Rotary Rotary::from_config(const json& config, std::int64_t head_dim) {
  const auto scaling = scaling_of(config);
  const double theta = value_or(scaling, "rope_theta", value_or(config, "rope_theta", 10000.0));
  Rotary rotary;
  for (std::int64_t i = 0; i < head_dim / 2; ++i) {
    rotary.frequencies_.push_back(1.0 / std::pow(theta, 2.0 * static_cast<double>(i) / static_cast<double>(head_dim)));
  }
  const std::string type = scaling.contains("rope_type") ? scaling["rope_type"].get<std::string>()
                           : scaling.contains("type")    ? scaling["type"].get<std::string>()
                                                         : "default";
  if (type == "linear") {
    for (auto& frequency : rotary.frequencies_) frequency /= required(scaling, "factor");
  } else if (type == "llama3") {
    scale_llama3(scaling, rotary.frequencies_);
  } else if (type == "yarn") {
    rotary.magnitude_ = scale_yarn(scaling, theta, value_or(config, "max_position_embeddings", 2048), rotary.frequencies_);
  } else if (type != "default") {
    throw Error({.category = Category::bad_data,
                 .where = "config.json: rope_scaling.rope_type",
                 .what = "the type \"" + type + "\" is not supported; supported are default, linear, llama3, yarn",
                 .fix = "Use a checkpoint without it; its positions would be wrong otherwise."});
  }
  return rotary;
}

RotaryTable Rotary::at(const Tensor& positions) const {
  const auto tokens = positions.numel(), half = static_cast<std::int64_t>(frequencies_.size());
  RotaryTable table{at::empty({tokens, half}, at::kFloat), at::empty({tokens, half}, at::kFloat)};
  const auto* position = positions.const_data_ptr<std::int64_t>();
  auto* cosines = table.cosines.mutable_data_ptr<float>();
  auto* sines = table.sines.mutable_data_ptr<float>();
  at::parallel_for(0, tokens, 64, [&](std::int64_t begin, std::int64_t end) {
    for (auto token = begin; token < end; ++token) {
      for (std::int64_t i = 0; i < half; ++i) {
        // As the checkpoints were trained: the angle is a float32 product.
        const float angle = static_cast<float>(position[token]) * static_cast<float>(frequencies_[i]);
        cosines[token * half + i] = static_cast<float>(std::cos(angle) * magnitude_);
        sines[token * half + i] = static_cast<float>(std::sin(angle) * magnitude_);
      }
    }
  });
  return table;
}

}  // namespace rlhf::models
