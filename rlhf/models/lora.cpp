#include "rlhf/models/lora.h"

#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::models {
namespace {

bool matches(const std::string& path, const std::vector<std::string>& targets) {
  return std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
    return path == target || path.ends_with("." + target);
  });
}

LoraPair fresh_pair(const Linear& layer, const LoraConfig& config, std::uint64_t key) {
  const auto out = layer.weight.size(0), in = layer.weight.size(1);
  LoraPair pair{.down = at::empty({config.r, in}, at::kFloat), .up = at::zeros({out, config.r}, at::kFloat)};
  const auto rank = static_cast<double>(config.r);
  pair.scale = config.alpha / (config.rslora ? std::sqrt(rank) : rank);
  // Kaiming-uniform with slope sqrt(5), as PEFT starts A: the bound is 1 / sqrt(in).
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  Random random(key);
  auto* down = pair.down.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < config.r * in; ++i) down[i] = static_cast<float>(bound * (2 * random.uniform() - 1));
  return pair;
}

}  // namespace

void LoraConfig::fields(Fields& f) {
  f.field("r", r, "rank of the update");
  f.field("alpha", alpha, "the update is scaled by alpha / r (lora_alpha)");
  f.field("rslora", rslora, "scale by alpha / sqrt(r) instead (use_rslora)");
  f.field("target_modules", target_modules, "layers that get an adapter, by the end of their path");
}

std::int64_t attach_lora(LanguageModel& model, const LoraConfig& config, std::uint64_t seed) {
  std::int64_t attached = 0;
  const auto layers = model.linears();
  for (const auto& [path, layer] : layers) {
    if (!matches(path, config.target_modules)) continue;
    layer->lora = fresh_pair(*layer, config, derive(seed, {hash(path)}));
    layer->lora->down.requires_grad_(true);
    layer->lora->up.requires_grad_(true);
    ++attached;
  }
  if (attached == 0) {
    std::string wanted;
    for (const auto& target : config.target_modules) wanted += (wanted.empty() ? "" : ", ") + target;
    throw Error({.category = Category::usage,
                 .where = "lora.target_modules",
                 .what = "no layer of this " + model.shape().family + " model ends in " + wanted,
                 .fix = "Its layers are named like " + (layers.empty() ? "(none)" : layers.begin()->first) + "."});
  }
  return attached;
}

std::vector<std::pair<std::string, Tensor>> lora_parameters(LanguageModel& model) {
  std::vector<std::pair<std::string, Tensor>> parameters;
  for (const auto& [path, layer] : model.linears()) {
    if (!layer->lora) continue;
    parameters.emplace_back(path + ".lora_A.weight", layer->lora->down);
    parameters.emplace_back(path + ".lora_B.weight", layer->lora->up);
  }
  return parameters;
}

double merge_lora(LanguageModel& model) {
  double largest = 0;
  for (const auto& [path, layer] : model.linears()) {
    if (!layer->lora) continue;
    const auto update = at::mm(layer->lora->up.detach(), layer->lora->down.detach()).mul(layer->lora->scale);
    const double change = update.norm().item<double>() / std::max(layer->weight.norm().item<double>(), 1e-30);
    largest = std::max(largest, change);
    layer->weight = at::add(layer->weight.detach(), update);  // the base may be shared or memory-mapped: never in place
    layer->lora.reset();
  }
  if (largest == 0) {
    throw Error({.category = Category::check,
                 .where = "merge",
                 .what = "the adapter changes no weight: its B matrices are all zero, or there is none",
                 .fix = "Check that the folder holds the trained adapter (adapter_model.safetensors)."});
  }
  return largest;
}

}  // namespace rlhf::models
