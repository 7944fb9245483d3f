#include "rlhf/models/actor_critic.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/tensor.h>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/core/seed.h"

namespace rlhf::models {
namespace {

Tensor bounds(const std::vector<double>& given, std::int64_t numbers) {
  if (given.size() == 1) return at::full({numbers}, given[0], at::kFloat);
  return at::tensor(given, at::kFloat);
}

}  // namespace

void ActorCriticConfig::fields(Fields& f) {
  f.group("network", network, "of policy and value");
  f.field("log_deviation", log_deviation, "natural logarithm of the actions' spread at the start, for numbers");
  f.field("seed", seed, "of the first weights");
}

ActorCritic::ActorCritic(const environments::Spec& spec, const ActorCriticConfig& config)
    : spec_(spec), config_(config), encoder_(spec) {
  if (const auto* choices = std::get_if<environments::Discrete>(&spec.action)) {
    outputs_ = std::ssize(choices->choices);
  } else {
    const auto& box = std::get<environments::Box>(spec.action);
    outputs_ = 1;
    for (const auto side : box.shape) outputs_ *= side;
    log_deviation_ = at::full({outputs_}, config.log_deviation, at::kFloat).requires_grad_();
    low_ = bounds(box.low, outputs_);
    high_ = bounds(box.high, outputs_);
  }
  const auto key = [&](const char* part) { return derive(config.seed, {hash(part)}); };
  if (config.network.architecture == Architecture::mlp) {
    policy_ = make_network(config.network, encoder_.shape(), outputs_, 0.01, key("policy"));
    value_ = make_network(config.network, encoder_.shape(), 1, 1.0, key("value"));
    return;
  }
  policy_ = make_network(config.network, encoder_.shape(), outputs_ + 1, 1.0, key("policy"));
  // One layer gives both; its policy rows start near 0, so that every choice is equally likely.
  const at::NoGradGuard no_gradient;
  policy_->weights().at(policy_->weights().size() - 2).second.narrow(0, 0, outputs_).mul_(0.01);
}

Distribution ActorCritic::distribution(const Tensor& outputs) const {
  if (log_deviation_.defined()) return Gaussian{outputs, log_deviation_};
  return Categorical{outputs};
}

ActorCritic::Judged ActorCritic::judge(const Tensor& encoded) const {
  const auto outputs = policy_->forward(encoded);
  if (value_) return {distribution(outputs), value_->forward(encoded).squeeze(-1)};
  return {distribution(outputs.narrow(1, 0, outputs_)), outputs.select(1, outputs_)};
}

Distribution ActorCritic::policy(const Tensor& encoded) const {
  return value_ ? distribution(policy_->forward(encoded)) : judge(encoded).policy;
}

Tensor ActorCritic::values(const Tensor& encoded) const {
  return value_ ? value_->forward(encoded).squeeze(-1) : judge(encoded).values;
}

NamedWeights ActorCritic::weights() const {
  NamedWeights all;
  for (const auto& [name, weight] : policy_->weights()) all.emplace_back("policy." + name, weight);
  if (value_)
    for (const auto& [name, weight] : value_->weights()) all.emplace_back("value." + name, weight);
  if (log_deviation_.defined()) all.emplace_back("log_deviation", log_deviation_);
  return all;
}

Tensor ActorCritic::within_bounds(const Tensor& actions) const {
  if (!low_.defined()) return actions;
  return at::maximum(at::minimum(actions, high_), low_);
}

void ActorCritic::save(const std::filesystem::path& folder) const {
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, weight] : weights()) tensors[name] = weight.detach();
  write_safetensors(folder / "agent.safetensors", tensors);
  const nlohmann::json about = {
      {"format", 1}, {"environment", environments::to_json(spec_)}, {"actor_critic", to_json(config_)}};
  write_file_atomic(folder / "agent.json", about.dump(2) + "\n");
}

void ActorCritic::restore(const std::filesystem::path& folder) {
  const auto file = SafetensorsFile::open(folder / "agent.safetensors");
  const at::NoGradGuard no_gradient;
  for (auto& [name, weight] : weights()) {
    const auto stored = file.tensor(name);
    if (stored.sizes() != weight.sizes())
      throw Error({.category = Category::bad_data,
                   .where = (folder / "agent.safetensors").string(),
                   .what = "the weight " + name + " has another shape than this agent's",
                   .fix = "Set the network as agent.json beside it says."});
    weight.copy_(stored);
  }
}

}  // namespace rlhf::models
