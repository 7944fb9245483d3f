#include "rlhf/control/signal_reward.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <limits>
#include <set>

#include "rlhf/algorithms/optimizer.h"
#include "rlhf/algorithms/tamer.h"
#include "rlhf/control/detail/descend.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/vector.h"

namespace rlhf::control {
namespace {

constexpr const char* file_name = "reward.safetensors";

/// Shares of signals as tensors.
struct Labels {
  Tensor inputs;           // [labels, width]
  Tensor values, weights;  // [labels]

  std::int64_t count() const { return values.size(0); }
  Labels at(const Tensor& rows) const {
    return {inputs.index_select(0, rows), values.index_select(0, rows), weights.index_select(0, rows)};
  }
};

Labels labels_of(const SignalSteps& said, const std::vector<std::int64_t>& chosen, const environments::Spec& spec,
                 const RewardInputs& inputs) {
  std::vector<data::Array> seen;
  std::vector<data::Action> done;
  std::vector<float> values, weights;
  for (const auto i : chosen) {
    const auto& label = said.labels()[static_cast<std::size_t>(i)];
    const auto& step = said.steps()[static_cast<std::size_t>(label.step)];
    seen.push_back(step.observation);
    done.push_back(step.action);
    values.push_back(static_cast<float>(label.value));
    weights.push_back(static_cast<float>(label.weight));
  }
  return {inputs(environments::stacked(spec, seen), environments::stacked(done), {}), at::tensor(values),
          at::tensor(weights)};
}

/// What has to be as it was in the session. Time limits may differ, and what the environment itself pays.
nlohmann::json world_of(const environments::Spec& spec) {
  const auto all = environments::to_json(spec);
  nlohmann::json world;
  for (const char* part : {"name", "version", "observation", "action"}) world[part] = all.at(part);
  return world;
}

/// Labels of some signals.
struct Share {
  std::vector<std::int64_t> rows;  // of said.labels()
  std::int64_t signals = 0;
};

/// What it is fitted to, and the signals that are held out.
std::pair<Share, Share> divided(const SignalSteps& said, const SignalRewardConfig& config) {
  Share own, others;
  std::set<std::int64_t> seen;
  for (std::int64_t i = 0; i < std::ssize(said.labels()); ++i) {
    const auto id = said.labels()[static_cast<std::size_t>(i)].signal;
    const auto key = derive(config.seed, {hash("heldout"), static_cast<std::uint64_t>(id)});
    auto& share = Random(key).uniform() < config.heldout ? others : own;
    share.rows.push_back(i);
    share.signals += seen.insert(id).second;
  }
  return {std::move(own), std::move(others)};
}

Tensor loss_of(const models::Network& network, const Labels& labels) {
  const auto rewards = network.forward(labels.inputs).squeeze(1);
  return (labels.weights * (rewards - labels.values).square()).sum() / labels.weights.sum();
}

const std::string& stored_about(const SafetensorsFile& file) {
  if (const auto about = file.metadata().find("signal_reward"); about != file.metadata().end()) return about->second;
  throw Error({.category = Category::bad_data,
               .where = file.name(),
               .what = "is no reward model of a session",
               .fix = "Make one: rlhf session --relearn LOG --reward_model FOLDER"});
}

SignalRewardConfig stored_config(const std::filesystem::path& folder) {
  const auto path = folder / file_name;
  if (!std::filesystem::exists(path))
    throw Error({.category = Category::bad_data,
                 .where = path.string(),
                 .what = "there is no such file",
                 .fix = "Make one: rlhf session --relearn LOG --reward_model " + folder.string()});
  SignalRewardConfig config;
  rlhf::from_json(config, nlohmann::json::parse(stored_about(SafetensorsFile::open(path))).at("settings"),
                  path.string());
  return config;
}

}  // namespace

void SignalRewardConfig::fields(Fields& f) {
  f.group("network", network, "of what the agent saw and did");
  f.field("credit_low", credit_low, "a signal is about what happened at least this many seconds before");
  f.field("credit_high", credit_high, "and at most this many");
  f.field("passes", passes, "over all that was said");
  f.field("minibatch", minibatch, "shares of signals of one update");
  f.field("learning_rate", learning_rate, "of Adam");
  f.field("weight_decay", weight_decay, "of Adam, decoupled");
  f.field("heldout", heldout, "share of the signals that it is not fitted to but measured on");
  f.field("seed", seed, "of the first weights, of the order and of what is held out");
}

void SignalRewardConfig::validate() const {
  network.validate();
  require_setting(credit_low >= 0, "credit_low", "Give 0 or more seconds.");
  require_setting(credit_high > credit_low, "credit_high", "Give more than credit_low.");
  require_setting(passes >= 1, "passes", "Give 1 or more.");
  require_setting(minibatch >= 1, "minibatch", "Give 1 or more.");
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(weight_decay >= 0, "weight_decay", "Give 0 or more.");
  require_setting(heldout >= 0 && heldout < 1, "heldout", "Give a share from 0 to below 1.");
}

data::Action SignalSteps::act(const data::Array&) {
  throw Error({.category = Category::usage,
               .where = "SignalSteps",
               .what = "it only watches and cannot act",
               .fix = "Give it to relearn_session."});
}

void SignalSteps::signal(const algorithms::LiveSignal& signal) {
  for (auto i = steps_.size(); i-- > first_ && steps_[i].end > signal.time - high_;) {
    const double weight = algorithms::credit(signal.time, steps_[i].begin, steps_[i].end, low_, high_);
    if (weight > 0) labels_.push_back({signal.id, static_cast<std::int64_t>(i), signal.value, weight});
  }
}

bool SignalSteps::undo(std::int64_t id) {
  return std::erase_if(labels_, [id](const Label& label) { return label.signal == id; }) > 0;
}

SignalReward::SignalReward(const environments::Spec& spec, const SignalRewardConfig& config)
    : config_(config), spec_(spec), inputs_(spec, true) {
  config.validate();
  const auto seed = derive(config.seed, {hash("signal_reward")});
  network_ = models::make_network(config.network, inputs_.shape(), 1, 1.0, seed);
}

SignalReward::SignalReward(const std::filesystem::path& folder, const environments::Spec& spec)
    : SignalReward(spec, stored_config(folder)) {
  const at::NoGradGuard no_gradient;
  const auto file = SafetensorsFile::open(folder / file_name);
  const auto about = nlohmann::json::parse(stored_about(file));
  if (about.at("world") != world_of(spec))
    throw Error({.category = Category::usage,
                 .where = file.name(),
                 .what = "people taught in " + about.at("world").at("name").get<std::string>() +
                         ", and this environment is another or shows something else",
                 .fix = "Train in the environment of the session, seen as it was there."});
  for (auto [name, weight] : network_->weights()) weight.copy_(file.tensor(name));
}

SignalFit SignalReward::fit(const SignalSteps& said) {
  const auto [own, others] = divided(said, config_);
  SignalFit fit{.signals = own.signals + others.signals, .heldout = others.signals};
  if (own.rows.empty())
    throw Error({.category = Category::usage,
                 .where = "reward_model",
                 .what = "nothing that was said in this session is about a step",
                 .fix = "Take a session with signals, or another credit window."});
  const auto labels = labels_of(said, own.rows, spec_, inputs_);
  algorithms::AdamW optimizer(network_->weights(), {.weight_decay = config_.weight_decay});
  for (std::int64_t pass = 0; pass < config_.passes; ++pass) {
    Random random(derive(config_.seed, {hash("minibatches"), static_cast<std::uint64_t>(pass)}));
    for (const auto& rows : at::tensor(random.permutation(labels.count())).split(config_.minibatch))
      descend(optimizer, loss_of(*network_, labels.at(rows)), config_.learning_rate);
  }
  const at::NoGradGuard no_gradient;
  fit.loss = loss_of(*network_, labels).item<double>();
  fit.heldout_loss = fit.heldout_accuracy = std::numeric_limits<double>::quiet_NaN();
  if (others.rows.empty()) return fit;
  const auto unseen = labels_of(said, others.rows, spec_, inputs_);
  const auto right = network_->forward(unseen.inputs).squeeze(1).sign() == unseen.values.sign();
  fit.heldout_loss = loss_of(*network_, unseen).item<double>();
  fit.heldout_accuracy = ((right * unseen.weights).sum() / unseen.weights.sum()).item<double>();
  return fit;
}

void SignalReward::write(const std::filesystem::path& folder) const {
  auto settings = config_;
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, weight] : network_->weights()) tensors[name] = weight.detach();
  const nlohmann::json about{{"world", world_of(spec_)}, {"settings", rlhf::to_json(settings)}};
  std::filesystem::create_directories(folder);
  write_safetensors(folder / file_name, tensors, {{"signal_reward", about.dump()}});
}

Tensor SignalReward::operator()(const Tensor& observations, const Tensor& actions) const {
  const at::NoGradGuard no_gradient;
  return network_->forward(inputs_(observations, actions, {})).squeeze(1);
}

OnPolicyHooks SignalReward::hooks() const {
  return {.reward = [this](const Rollout& rollout) {
    return (*this)(rollout.flat(rollout.observations), rollout.flat(rollout.sent)).view_as(rollout.rewards);
  }};
}

}  // namespace rlhf::control
