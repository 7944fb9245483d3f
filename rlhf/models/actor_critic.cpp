#include "rlhf/models/actor_critic.h"

#include <ATen/core/grad_mode.h>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/core/seed.h"

namespace rlhf::models {
void ActorCriticConfig::fields(Fields& f) {
  f.group("network", network, "of policy and value");
  f.field("log_deviation", log_deviation, "natural logarithm of the actions' spread at the start, for numbers");
  f.field("seed", seed, "of the first weights");
}

ActorCritic::ActorCritic(const environments::Spec& spec, const ActorCriticConfig& config)
    : spec_(spec), config_(config), encoder_(spec), head_(spec, config.log_deviation) {
  const auto outputs = head_.outputs();
  const auto key = [&](const char* part) { return derive(config.seed, {hash(part)}); };
  if (config.network.architecture == Architecture::mlp) {
    policy_ = make_network(config.network, encoder_.shape(), outputs, 0.01, key("policy"));
    value_ = make_network(config.network, encoder_.shape(), 1, 1.0, key("value"));
    return;
  }
  policy_ = make_network(config.network, encoder_.shape(), outputs + 1, 1.0, key("policy"));
  // One layer gives both; its policy rows start near 0, so that every choice is equally likely.
  const at::NoGradGuard no_gradient;
  policy_->weights().at(policy_->weights().size() - 2).second.narrow(0, 0, outputs).mul_(0.01);
}

ActorCritic::Judged ActorCritic::judge(const Tensor& encoded) const {
  const auto outputs = policy_->forward(encoded);
  if (value_) return {head_.distribution(outputs), value_->forward(encoded).squeeze(-1)};
  return {head_.distribution(outputs.narrow(1, 0, head_.outputs())), outputs.select(1, head_.outputs())};
}

Distribution ActorCritic::policy(const Tensor& encoded) const {
  return value_ ? head_.distribution(policy_->forward(encoded)) : judge(encoded).policy;
}

Tensor ActorCritic::values(const Tensor& encoded) const {
  return value_ ? value_->forward(encoded).squeeze(-1) : judge(encoded).values;
}

NamedWeights ActorCritic::weights() const {
  NamedWeights all;
  for (const auto& [name, weight] : policy_->weights()) all.emplace_back("policy." + name, weight);
  if (value_)
    for (const auto& [name, weight] : value_->weights()) all.emplace_back("value." + name, weight);
  head_.add_weights(all);
  return all;
}

ActorCritic ActorCritic::open(const environments::Spec& spec, const std::filesystem::path& folder) {
  const auto file = folder / "agent.json";
  const auto about = nlohmann::json::parse(read_file(file), nullptr, false);
  if (!about.is_object() || !about.contains("actor_critic") || !about.contains("environment"))
    throw Error({.category = Category::bad_data,
                 .where = file.string(),
                 .what = "does not describe an agent with a policy and a value",
                 .fix = "Name the folder of a checkpoint of control_ppo, a2c, bc, dagger or gail."});
  if (about.at("environment") != environments::to_json(spec))
    throw Error({.category = Category::check,
                 .where = file.string(),
                 .what = "the agent was trained in an environment with other settings or another version",
                 .fix = "Set the environment as agent.json says."});
  ActorCriticConfig config;
  from_json(config, about.at("actor_critic"), file.string());
  ActorCritic agent(spec, config);
  agent.restore(folder);
  return agent;
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
