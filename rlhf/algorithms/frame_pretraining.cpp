#include "rlhf/algorithms/frame_pretraining.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/tensor.h>

#include <cstring>

#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/scripted_agent.h"

namespace rlhf::algorithms {
namespace {

constexpr std::int64_t examined_at_once = 100;

const environments::Box& pictures_of(const environments::Spec& spec) {
  const auto* box = std::get_if<environments::Box>(&spec.observation);
  if (!box || box->dtype != environments::Dtype::uint8 || box->shape.size() != 3)
    throw Error({.category = Category::usage,
                 .where = "environment " + spec.name,
                 .what = "it shows no pictures to learn an encoder from",
                 .fix = "Take mini_bowl, or a learner that reads numbers."});
  return *box;
}

Tensor scaled(const Tensor& frames) { return frames.to(at::kFloat).div_(255); }

/// Mean squared error over all pixels of frames that were not learnt from.
double error_on(const models::FrameAutoencoder& autoencoder, const Tensor& frames) {
  const at::NoGradGuard no_gradient;
  double sum = 0;
  for (std::int64_t from = 0; from < frames.size(0); from += examined_at_once) {
    const auto some = scaled(frames.narrow(0, from, std::min(examined_at_once, frames.size(0) - from)));
    sum += (autoencoder.reconstruct(some, false) - some).square().sum().item<double>();
  }
  return sum / static_cast<double>(frames.numel());
}

void learn(const models::FrameAutoencoder& autoencoder, const Tensor& frames, const FramePretrainingConfig& config) {
  AdamW optimizer(autoencoder.weights(), config.adam);
  Random random(derive(config.seed, {hash("frames.order")}));
  const auto steps = frames.size(0) / config.batch, all = steps * config.epochs;
  for (std::int64_t epoch = 0, step = 0; epoch < config.epochs; ++epoch) {
    const auto order = at::tensor(random.permutation(frames.size(0)), at::kLong);
    for (std::int64_t i = 0; i < steps; ++i, ++step) {
      const auto batch = scaled(at::index_select(frames, 0, order.narrow(0, i * config.batch, config.batch)));
      optimizer.zero_grad();
      at::mse_loss(autoencoder.reconstruct(batch, true), batch).backward();
      optimizer.step(config.learning_rate * static_cast<double>(all - step) / static_cast<double>(all));
    }
  }
}

std::string key_of(const environments::Spec& spec, FramePretrainingConfig config) {
  return environments::hash_of(spec) + " " + rlhf::to_json(config).dump();
}

}  // namespace

void FramePretrainingConfig::validate() const {
  autoencoder.validate();
  adam.validate();
  require_setting(batch >= 2, "batch", "Give 2 or more: batch norm compares frames.");
  require_setting(frames >= batch, "frames", "Give at least a batch.");
  require_setting(stride >= 1, "stride", "Give 1 or more steps.");
  require_setting(epochs >= 1, "epochs", "Give 1 or more.");
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
}

Tensor random_frames(environments::Environment& environment, std::int64_t count, std::int64_t stride,
                     std::uint64_t seed) {
  const auto& spec = environment.spec();
  auto shape = pictures_of(spec).shape;
  shape.insert(shape.begin(), count);
  const auto frames = at::empty(shape, at::kByte);
  auto* out = frames.mutable_data_ptr<std::uint8_t>();
  const auto policy = environments::random_choice(spec);
  Random random(derive(seed, {hash("frames.play")}));
  std::uint64_t episode = 0;
  auto observation = environment.reset(derive(seed, {episode})).observation;
  for (std::int64_t kept = 0, step = 0; kept < count; ++step) {
    if (step % stride == 0) {
      const auto& bytes = std::get<std::vector<std::uint8_t>>(observation);
      std::memcpy(out, bytes.data(), bytes.size());
      out += bytes.size();
      ++kept;
    }
    auto next = environment.step(policy(observation, random));
    observation = next.terminated || next.truncated ? environment.reset(derive(seed, {++episode})).observation
                                                    : std::move(next.observation);
  }
  return frames;
}

FramePretraining pretrain_frames(environments::Environment& environment, const FramePretrainingConfig& config) {
  config.validate();
  const auto autoencoder = std::make_shared<models::FrameAutoencoder>(pictures_of(environment.spec()).shape,
                                                                      config.autoencoder, config.seed);
  const auto held_out = std::max<std::int64_t>(1, config.frames / 10);
  const auto frames = random_frames(environment, config.frames, config.stride, config.seed);
  const auto other_play = derive(config.seed, {hash("frames.held_out")});
  const auto others = random_frames(environment, held_out, config.stride, other_play);
  const auto mean = scaled(frames).mean(0);
  autoencoder->set_mean(mean);
  learn(*autoencoder, frames, config);
  for (auto& [name, weight] : autoencoder->weights()) weight.requires_grad_(false);  // frozen from now on
  return {.autoencoder = autoencoder,
          .error = error_on(*autoencoder, others),
          .variance = (scaled(others) - mean).square().mean().item<double>()};
}

FramePretraining pretrained_frames(environments::Environment& environment, const FramePretrainingConfig& config,
                                   const std::filesystem::path& file) {
  const auto key = key_of(environment.spec(), config);
  if (std::filesystem::exists(file)) {
    const auto kept = SafetensorsFile::open(file);
    if (const auto found = kept.metadata().find("made"); found != kept.metadata().end() && found->second == key) {
      const auto autoencoder = std::make_shared<models::FrameAutoencoder>(pictures_of(environment.spec()).shape,
                                                                          config.autoencoder, config.seed);
      const at::NoGradGuard no_gradient;
      for (auto& [name, tensor] : autoencoder->everything()) {
        tensor.copy_(kept.tensor(name));
        tensor.requires_grad_(false);
      }
      const auto judged = kept.tensor("judged");
      return {.autoencoder = autoencoder, .error = judged[0].item<double>(), .variance = judged[1].item<double>()};
    }
  }
  const auto made = pretrain_frames(environment, config);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : made.autoencoder->everything()) tensors[name] = tensor;
  tensors["judged"] = at::tensor({made.error, made.variance}, at::kDouble);
  std::filesystem::create_directories(std::filesystem::absolute(file).parent_path());
  write_safetensors(file, tensors, {{"made", key}});
  return made;
}

}  // namespace rlhf::algorithms
