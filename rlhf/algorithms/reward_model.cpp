#include "rlhf/algorithms/reward_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "rlhf/algorithms/minibatch.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/models/batch.h"

namespace rlhf::algorithms {
namespace {

constexpr const char* head_file = "head.safetensors";
constexpr const char* about_file = "reward.json";
constexpr int format = 1;

const std::vector<std::pair<std::string, Pooling>> poolings = {{"last_token", Pooling::last_token},
                                                               {"completion_mean", Pooling::completion_mean},
                                                               {"sequence_mean", Pooling::sequence_mean}};

/// The rows of a packed batch that one example's features are the mean of.
std::vector<std::int64_t> rows_read(const data::Example& example, std::int64_t begin, Pooling pooling) {
  std::vector<std::int64_t> rows;
  const auto size = static_cast<std::int64_t>(example.ids.size());
  if (pooling == Pooling::last_token) {
    rows.push_back(begin + (example.scored >= 0 ? example.scored : size - 1));
  } else {
    for (std::int64_t i = 0; i < size; ++i)
      if (pooling == Pooling::sequence_mean || example.mask[i]) rows.push_back(begin + i);
  }
  if (rows.empty() || rows.back() >= begin + size)
    throw Error({.category = Category::bad_data,
                 .where = "reward model",
                 .what = "an example has no token to read the reward from",
                 .fix = "Its mask is empty, or `scored` lies outside it: drop it."});
  return rows;
}

/// [tokens, width] at one depth, as the head reads it.
Tensor hidden_at(const models::LanguageModel& trunk, const models::Batch& batch, std::int64_t layer, bool adapters, bool recompute) {
  const Tensor hidden = trunk.forward(batch, {.adapters = adapters, .layers = layer, .checkpoint = recompute});
  return layer < 0 ? hidden : hidden * at::rsqrt(at::square(hidden).mean(1, /*keepdim=*/true) + 1e-6);
}

}  // namespace

void RewardReading::fields(Fields& f) {
  f.field("layers", layers, "depths that are read: -1 = after the final norm, k = after k layers; several are laid side by side");
  f.choice("pooling", pooling, {{"last_token", Pooling::last_token}, {"completion_mean", Pooling::completion_mean}, {"sequence_mean", Pooling::sequence_mean}},
           "which tokens are read");
  f.field("adapters", adapters, "read the trunk with its adapters");
}

RewardModel make_reward_model(const models::LanguageModel& trunk, RewardReading reading, std::uint64_t seed) {
  for (const auto layer : reading.layers)
    if (layer < -1 || layer > trunk.shape().layers)
      throw Error({.category = Category::usage,
                   .where = "reading.layers",
                   .what = std::to_string(layer) + " is not a depth of this model",
                   .fix = "Take -1, or 0 to " + std::to_string(trunk.shape().layers) + "."});
  if (reading.layers.empty())
    throw Error({.category = Category::usage, .where = "reading.layers", .what = "the list is empty", .fix = "Take [-1] for the last layer."});
  const auto width = trunk.shape().width * static_cast<std::int64_t>(reading.layers.size());
  return {.trunk = &trunk, .reading = std::move(reading), .head = models::reward_head(width, seed), .gain = at::ones({1}), .bias = at::zeros({1})};
}

Tensor RewardModel::features(std::span<const data::Example> examples, bool recompute) const {
  std::vector<TokenIds> sequences;
  for (const auto& example : examples) sequences.push_back(example.ids);
  const auto batch = models::pack(sequences);
  std::vector<Tensor> depths;
  for (const auto layer : reading.layers) {
    const Tensor hidden = hidden_at(*trunk, batch, layer, reading.adapters, recompute);
    std::vector<Tensor> means;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      auto rows = rows_read(examples[i], batch.starts[i], reading.pooling);
      // Each example by itself: its features do not depend on what it is packed with.
      const auto index = at::from_blob(rows.data(), {static_cast<std::int64_t>(rows.size())}, at::kLong).clone();
      means.push_back(hidden.index_select(0, index).mean(0));
    }
    depths.push_back(at::stack(means));
  }
  return depths.size() == 1 ? depths[0] : at::cat(depths, 1);
}

Tensor RewardModel::read(const Tensor& features) const { return gain * head.apply(features) + bias; }

data::Example scored_example(const TokenIds& prompt, const TokenIds& completion) {
  data::Example example{.ids = prompt, .mask = std::vector<std::uint8_t>(prompt.size(), 0)};
  example.ids.insert(example.ids.end(), completion.begin(), completion.end());
  example.mask.resize(example.ids.size(), 1);
  example.scored = static_cast<std::int64_t>(example.ids.size()) - 1;
  return example;
}

Tensor pooled_features(const RewardModel& model, std::span<const data::Example> examples, std::int64_t micro_tokens) {
  const at::NoGradGuard no_grad;
  std::vector<std::int64_t> lengths, order(examples.size());
  for (const auto& example : examples) lengths.push_back(static_cast<std::int64_t>(example.ids.size()));
  std::iota(order.begin(), order.end(), 0);
  std::vector<Tensor> parts;
  for (const auto& piece : split_by_tokens(order, lengths, micro_tokens))
    parts.push_back(model.features(examples.subspan(piece.front(), piece.size())));
  if (parts.empty())
    throw Error({.category = Category::usage, .where = "reward model", .what = "there is nothing to score", .fix = "Pass at least one example."});
  return at::cat(parts);
}

Tensor score(const RewardModel& model, std::span<const data::Example> examples, std::int64_t micro_tokens) {
  const at::NoGradGuard no_grad;
  return model.read(pooled_features(model, examples, micro_tokens));
}

void normalise(RewardModel& model, const Tensor& scores) {
  const at::NoGradGuard no_grad;
  const auto values = scores.to(at::kDouble);
  const double mean = values.mean().item<double>(), spread = std::sqrt(at::square(values - mean).mean().item<double>());
  if (!(spread > 0))
    throw Error({.category = Category::check,
                 .where = "reward model: normalise",
                 .what = "all " + std::to_string(scores.numel()) + " samples got the same score",
                 .fix = "Use different samples; if they are different, the reward model has not learnt anything."});
  model.gain.div_(spread);
  model.bias.sub_(mean).div_(spread);
}

rewards::RewardFn reward_function(std::shared_ptr<const RewardModel> model) {
  return [model](std::span<const data::Prompt> prompts, std::span<const data::Completion> completions) {
    std::vector<data::Example> examples;
    for (std::size_t i = 0; i < completions.size(); ++i) examples.push_back(scored_example(prompts[i].ids, completions[i].ids));
    const Tensor scores = score(*model, examples);
    std::vector<rewards::Score> result(completions.size());
    for (std::size_t i = 0; i < result.size(); ++i) result[i].value = scores.const_data_ptr<float>()[i];
    return result;
  };
}

void save_head(const RewardModel& model, const std::filesystem::path& folder, const std::string& base) {
  std::filesystem::create_directories(folder);
  std::map<std::string, Tensor> tensors{{"score.weight", model.head.weight.detach()}, {"gain", model.gain.detach()}, {"bias", model.bias.detach()}};
  if (model.head.bias.defined()) tensors["score.bias"] = model.head.bias.detach();
  write_safetensors(folder / head_file, tensors);
  const auto pooling = std::find_if(poolings.begin(), poolings.end(), [&](const auto& each) { return each.second == model.reading.pooling; });
  const nlohmann::json about{{"format", format},           {"base", base},
                             {"layers", model.reading.layers}, {"pooling", pooling->first},
                             {"adapters", model.reading.adapters}, {"width", model.trunk->shape().width}};
  write_file_atomic(folder / about_file, about.dump(2) + "\n");
}

RewardModel load_head(const models::LanguageModel& trunk, const std::filesystem::path& folder) {
  const auto where = (folder / about_file).string();
  const auto wrong = [&](const std::string& what) {
    return Error({.category = Category::bad_data, .where = where, .what = what, .fix = "Train a reward model with `rlhf train reward_model`."});
  };
  if (!std::filesystem::exists(folder / about_file)) throw wrong("there is no such file, so this folder holds no reward model");
  const auto about = nlohmann::json::parse(read_file(folder / about_file), nullptr, /*allow_exceptions=*/false);
  if (!about.is_object() || about.value("format", 0) != format) throw wrong("it is not a reward model of format " + std::to_string(format));
  if (about.value("width", std::int64_t{0}) != trunk.shape().width)
    throw wrong("it was trained on a model of width " + std::to_string(about.value("width", std::int64_t{0})) + ", this one has " + std::to_string(trunk.shape().width));
  const auto pooling = std::find_if(poolings.begin(), poolings.end(), [&](const auto& each) { return each.first == about.value("pooling", ""); });
  if (pooling == poolings.end() || !about.contains("layers")) throw wrong("pooling or layers are missing or unknown");
  const auto file = SafetensorsFile::open(folder / head_file);
  RewardModel model = make_reward_model(trunk, {.layers = about["layers"].get<std::vector<std::int64_t>>(), .pooling = pooling->second, .adapters = about.value("adapters", true)}, 0);
  const auto expected = model.head.weight.sizes().vec();
  model.head = {.weight = file.tensor("score.weight").clone(), .bias = file.has("score.bias") ? file.tensor("score.bias").clone() : Tensor()};
  if (model.head.weight.sizes().vec() != expected) throw wrong("its head has another shape than its layers ask for");
  model.gain = file.tensor("gain").clone();
  model.bias = file.tensor("bias").clone();
  return model;
}

}  // namespace rlhf::algorithms
