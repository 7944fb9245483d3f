#include "rlhf/models/convolutional.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::models {
namespace {

struct Layer {
  std::string name;
  Tensor weight, bias;
};

/// Draws layers, each with a name and a key of its own, so that adding one changes no other.
class Drawer {
 public:
  explicit Drawer(std::uint64_t seed) : seed_(seed) {}

  Layer convolution(const std::string& name, std::int64_t inputs, std::int64_t outputs, std::int64_t side) const {
    auto flat = orthogonal(outputs, inputs * side * side, std::sqrt(2.0), derive(seed_, {hash(name)}));
    return finished({name, flat.view({outputs, inputs, side, side}), at::zeros({outputs}, at::kFloat)});
  }
  Layer linear(const std::string& name, std::int64_t inputs, std::int64_t outputs, double gain) const {
    return finished(
        {name, orthogonal(outputs, inputs, gain, derive(seed_, {hash(name)})), at::zeros({outputs}, at::kFloat)});
  }

 private:
  static Layer finished(Layer layer) {
    layer.weight.requires_grad_();
    layer.bias.requires_grad_();
    return layer;
  }
  std::uint64_t seed_;
};

/// Pictures laid out so that the channels of a pixel are neighbours: convolutions of many rows are faster then.
Tensor channels_last(const Tensor& pictures) { return pictures.contiguous(at::MemoryFormat::ChannelsLast); }

NamedWeights weights_of(const std::vector<Layer>& layers) {
  NamedWeights all;
  for (const auto& layer : layers) {
    all.emplace_back(layer.name + ".weight", layer.weight);
    all.emplace_back(layer.name + ".bias", layer.bias);
  }
  return all;
}

/// Convolutions without padding, one hidden layer, the output.
struct PlainShape {
  std::vector<std::int64_t> channels, sides, strides;  // of each convolution
  std::int64_t hidden;
  double leak;  // the slope of the activations below 0
};
const PlainShape nature{.channels = {32, 64, 64}, .sides = {8, 4, 3}, .strides = {4, 2, 1}, .hidden = 512, .leak = 0};
// Differs from the paper: no batch normalisation. A step's reward must not depend on the steps it is judged with.
const PlainShape narrow{
    .channels = {16, 16, 16, 16}, .sides = {7, 5, 3, 3}, .strides = {3, 2, 1, 1}, .hidden = 64, .leak = 0.01};

class Plain final : public Network {
 public:
  Plain(const PlainShape& shape, const std::vector<std::int64_t>& seen, std::int64_t outputs, double output_gain,
        std::uint64_t seed)
      : shape_(shape) {
    const Drawer draw(seed);
    std::int64_t inputs = seen[0], height = seen[1], width = seen[2];
    for (std::size_t i = 0; i < shape.sides.size(); ++i) {
      layers_.push_back(draw.convolution("convolution" + std::to_string(i), inputs, shape.channels[i], shape.sides[i]));
      inputs = shape.channels[i];
      for (auto* side : {&height, &width})
        *side = *side < shape.sides[i] ? 0 : (*side - shape.sides[i]) / shape.strides[i] + 1;
    }
    if (height < 1 || width < 1)
      throw Error({.category = Category::usage,
                   .where = "architecture",
                   .what = fmt::format("pictures of {} x {} are too small for these convolutions", seen[1], seen[2]),
                   .fix = "Give at least 36 x 36 (narrow: 43 x 43), or take architecture = mlp."});
    layers_.push_back(draw.linear("hidden", inputs * height * width, shape.hidden, std::sqrt(2.0)));
    layers_.push_back(draw.linear("output", shape.hidden, outputs, output_gain));
  }

  Tensor forward(const Tensor& encoded) const override {
    return run(encoded, [](const Tensor& units) { return units; });
  }

  Tensor forward_dropping(const Tensor& encoded, double share, std::uint64_t seed) const override {
    auto generator = at::detail::createCPUGenerator(seed);
    return run(encoded, [&](const Tensor& units) {
      return units * at::empty_like(units.detach()).bernoulli_(1 - share, generator).div_(1 - share);
    });
  }

  NamedWeights weights() const override { return weights_of(layers_); }

 private:
  Tensor active(const Tensor& values) const {
    return shape_.leak == 0 ? at::relu(values) : at::leaky_relu(values, shape_.leak);
  }
  Tensor run(const Tensor& encoded, const auto& drop) const {
    Tensor values = channels_last(encoded);
    const auto convolutions = shape_.sides.size();
    for (std::size_t i = 0; i < convolutions; ++i)
      values = drop(active(at::conv2d(values, layers_[i].weight, layers_[i].bias, shape_.strides[i])));
    const auto &hidden = layers_[convolutions], &output = layers_.back();
    return at::linear(active(at::linear(values.flatten(1), hidden.weight, hidden.bias)), output.weight, output.bias);
  }

  const PlainShape& shape_;
  std::vector<Layer> layers_;
};

/// Stages of 16, 32 and 32 channels, each a convolution, a pooling and two residual blocks (Espeholt et al. 2018).
class Impala final : public Network {
 public:
  Impala(const std::vector<std::int64_t>& seen, std::int64_t outputs, double output_gain, std::uint64_t seed) {
    const Drawer draw(seed);
    std::int64_t inputs = seen[0], height = seen[1], width = seen[2];
    for (int stage = 0; stage < 3; ++stage) {
      const auto wide = stage == 0 ? 16 : 32;
      layers_.push_back(draw.convolution(fmt::format("stage{}.first", stage), inputs, wide, 3));
      for (const char* name : {"block0.0", "block0.1", "block1.0", "block1.1"})
        layers_.push_back(draw.convolution(fmt::format("stage{}.{}", stage, name), wide, wide, 3));
      inputs = wide;
      height = (height + 1) / 2;
      width = (width + 1) / 2;
    }
    layers_.push_back(draw.linear("hidden", inputs * height * width, 256, std::sqrt(2.0)));
    layers_.push_back(draw.linear("output", 256, outputs, output_gain));
  }

  Tensor forward(const Tensor& encoded) const override {
    Tensor values = channels_last(encoded);
    for (std::size_t stage = 0; stage < 3; ++stage) {
      const Layer* layer = &layers_[stage * 5];
      values = at::max_pool2d(same_size(values, layer[0]), {3, 3}, {2, 2}, {1, 1});
      for (const std::size_t block : {1, 3})
        values = values + same_size(at::relu(same_size(at::relu(values), layer[block])), layer[block + 1]);
    }
    const auto &hidden = layers_[15], &output = layers_[16];
    values = at::relu(at::linear(at::relu(values).flatten(1), hidden.weight, hidden.bias));
    return at::linear(values, output.weight, output.bias);
  }

  NamedWeights weights() const override { return weights_of(layers_); }

 private:
  static Tensor same_size(const Tensor& values, const Layer& layer) {
    return at::conv2d(values, layer.weight, layer.bias, 1, 1);
  }
  std::vector<Layer> layers_;
};

}  // namespace

std::unique_ptr<Network> make_convolutional(Architecture architecture, const std::vector<std::int64_t>& seen,
                                            std::int64_t outputs, double output_gain, std::uint64_t seed) {
  if (architecture == Architecture::impala) return std::make_unique<Impala>(seen, outputs, output_gain, seed);
  const auto& shape = architecture == Architecture::narrow ? narrow : nature;
  return std::make_unique<Plain>(shape, seen, outputs, output_gain, seed);
}

}  // namespace rlhf::models
