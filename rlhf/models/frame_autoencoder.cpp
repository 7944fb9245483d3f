#include "rlhf/models/frame_autoencoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::models {
namespace {

constexpr std::int64_t blocks = 3;

Tensor convolved(const Tensor& values, const Tensor& weight, const Tensor& bias) {
  return at::conv2d(values, weight, bias, /*stride=*/1, /*padding=*/1);
}

}  // namespace

void FrameAutoencoderConfig::fields(Fields& f) {
  f.field("filters", filters, "of each of the three blocks of convolutions");
  f.field("halvings", halvings, "poolings on the way from the frames to the code, 1 to 4");
}

void FrameAutoencoderConfig::validate() const {
  if (filters < 1)
    throw Error({.category = Category::usage, .where = "filters", .what = "out of range", .fix = "Give 1 or more."});
  if (halvings < 1 || halvings > blocks + 1)
    throw Error({.category = Category::usage, .where = "halvings", .what = "out of range", .fix = "Give 1 to 4."});
}

FrameAutoencoder::FrameAutoencoder(const std::vector<std::int64_t>& seen, const FrameAutoencoderConfig& config,
                                   std::uint64_t seed)
    : seen_(seen) {
  config.validate();
  const std::int64_t shrink = std::int64_t{1} << config.halvings;
  if (seen.size() != 3 || seen[1] % shrink != 0 || seen[2] % shrink != 0)
    throw Error({.category = Category::usage,
                 .where = "halvings",
                 .what = fmt::format("{} halvings need pictures whose sides {} divides", config.halvings, shrink),
                 .fix = "Give fewer halvings, or an environment that shows such pictures."});
  features_ = seen[1] / shrink * (seen[2] / shrink);
  mean_ = at::zeros(seen, at::kFloat);
  for (std::int64_t i = 0; i <= blocks; ++i) {
    const bool last = i == blocks;
    const auto inputs = i == 0 ? seen[0] : config.filters;
    auto layer = make_layer(fmt::format("down{}", i), inputs, last ? 1 : config.filters, seed);
    layer.relu = !last;
    layer.halves = last || i < config.halvings - 1;
    down_.push_back(std::move(layer));
  }
  for (std::int64_t i = blocks; i >= 0; --i) {
    const auto inputs = i == blocks ? 1 : config.filters, outputs = i == 0 ? seen[0] : config.filters;
    auto layer = make_layer(fmt::format("up{}", i), inputs, outputs, seed);
    layer.halves = down_[static_cast<std::size_t>(i)].halves;
    if (i == 0) layer.scale = layer.shift = layer.running_mean = layer.running_variance = Tensor();
    layer.relu = i > 0;
    if (i == 0) layer.weight.mul_(0.1);  // frames differ little from their mean, and the first guess is that mean
    up_.push_back(std::move(layer));
  }
  for (auto& [name, weight] : weights()) weight.requires_grad_();
}

FrameAutoencoder::Layer FrameAutoencoder::make_layer(const std::string& name, std::int64_t inputs, std::int64_t outputs,
                                                     std::uint64_t seed) const {
  const auto flat = orthogonal(outputs, inputs * 9, std::sqrt(2.0), derive(seed, {hash("frames." + name)}));
  return {.name = name,
          .weight = flat.view({outputs, inputs, 3, 3}),
          .bias = at::zeros({outputs}, at::kFloat),
          .scale = at::ones({outputs}, at::kFloat),
          .shift = at::zeros({outputs}, at::kFloat),
          .running_mean = at::zeros({outputs}, at::kFloat),
          .running_variance = at::ones({outputs}, at::kFloat)};
}

void FrameAutoencoder::set_mean(const Tensor& mean) { mean_.copy_(mean); }

Tensor FrameAutoencoder::normalised(const Tensor& values, const Layer& layer, bool learning) const {
  const auto scaled = layer.scale.defined()
                          ? at::batch_norm(values, layer.scale, layer.shift, layer.running_mean, layer.running_variance,
                                           learning, /*momentum=*/0.1, /*eps=*/1e-5, /*cudnn_enabled=*/false)
                          : values;
  return layer.relu ? at::relu(scaled) : scaled;
}

Tensor FrameAutoencoder::code(const Tensor& frames, bool learning) const {
  Tensor values = frames - mean_;
  for (const auto& layer : down_) {
    values = normalised(convolved(values, layer.weight, layer.bias), layer, learning);
    if (layer.halves) values = at::max_pool2d(values, {2, 2});
  }
  return values;
}

Tensor FrameAutoencoder::encode(const Tensor& frames) const {
  const at::NoGradGuard no_gradient;
  return code(frames, false).flatten(1);
}

Tensor FrameAutoencoder::reconstruct(const Tensor& frames, bool learning) const {
  Tensor values = code(frames, learning);
  for (const auto& layer : up_) {
    if (layer.halves) values = at::upsample_nearest2d(values, {values.size(2) * 2, values.size(3) * 2});
    values = normalised(convolved(values, layer.weight, layer.bias), layer, learning);
  }
  return values + mean_;
}

NamedWeights FrameAutoencoder::weights() const {
  NamedWeights all;
  for (const auto* way : {&down_, &up_})
    for (const auto& layer : *way) {
      all.emplace_back(layer.name + ".weight", layer.weight);
      all.emplace_back(layer.name + ".bias", layer.bias);
      if (!layer.scale.defined()) continue;
      all.emplace_back(layer.name + ".scale", layer.scale);
      all.emplace_back(layer.name + ".shift", layer.shift);
    }
  return all;
}

NamedWeights FrameAutoencoder::everything() const {
  auto all = weights();
  for (const auto* way : {&down_, &up_})
    for (const auto& layer : *way) {
      if (!layer.scale.defined()) continue;
      all.emplace_back(layer.name + ".running_mean", layer.running_mean);
      all.emplace_back(layer.name + ".running_variance", layer.running_variance);
    }
  all.emplace_back("mean", mean_);
  return all;
}

}  // namespace rlhf::models
