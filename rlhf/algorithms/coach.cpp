#include "rlhf/algorithms/coach.h"

#include <algorithm>
#include <cmath>

#include "rlhf/algorithms/detail/state_bytes.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"

namespace rlhf::algorithms {
void CoachConfig::validate() const {
  SoftmaxPolicyConfig{.hidden = hidden, .logit_limit = logit_limit}.validate();
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(delay >= 0 && delay <= 10, "delay", "Give 0 to 10 seconds.");
  require_setting(trace >= 0 && trace <= 1, "trace", "Give 0 to 1.");
  require_setting(great > 0, "great", "Give a size above 0.");
  require_setting(great_trace >= 0 && great_trace <= 1, "great_trace", "Give 0 to 1.");
  require_setting(entropy >= 0, "entropy", "Give 0 or more.");
  require_setting(weight_decay >= 0 && learning_rate * weight_decay < 1, "weight_decay",
                  "Give 0 or more, and less than 1 / learning_rate.");
  require_setting(undo >= 0, "undo", "Give 0 or more signals.");
}

Coach::Coach(std::unique_ptr<SoftmaxPolicy> policy, const CoachConfig& config)
    : config_(config),
      policy_(std::move(policy)),
      delayed_(config.delay),
      random_(derive(config.seed, {hash("coach")})) {
  config.validate();
  const ParameterVector zero(policy_->parameters().size(), 0.0);
  traces_ = {{{config.trace, zero}, {config.great_trace, zero}}};
}

data::Action Coach::act(const data::Array& observation) {
  const auto look = [this](const data::Array& seen) { return policy_->perceive(seen); };
  const auto chances = policy_->chances(glance_(observation, look));
  return config_.greedy ? likeliest_action(chances) : drawn_action(chances, random_.uniform());
}

void Coach::observe(const LiveStep& step) {
  const auto look = [this](const data::Array& seen) { return policy_->perceive(seen); };
  const auto action = std::get<std::int64_t>(step.action);
  delayed_.push({.percept = glance_(step.observation, look), .action = action}, step);
  while (const auto pair = delayed_.next()) credit(*pair);
  shown_.push(step, {{traces_[0].sum, traces_[1].sum}, newest_});
}

/// From now on a signal may be about this step, too.
void Coach::credit(const LivePair& pair) {
  const PolicyTerm taken{.percept = pair.percept, .action = pair.action};
  const auto gradient = policy_->gradient({&taken, 1});
  for (auto& [decay, sum] : traces_)
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = (pair.first ? 0.0 : decay * sum[i]) + gradient[i];
  newest_ = pair;
}

void Coach::signal(const LiveSignal& signal) {
  const auto* known = shown_.at(signal.time);
  if (!known || !known->newest) return;  // nothing is known that it could be about
  const auto& trace = known->traces[std::abs(signal.value) >= config_.great ? 1 : 0];
  ParameterVector change(trace.size());
  for (std::size_t i = 0; i < change.size(); ++i) change[i] = config_.learning_rate * signal.value * trace[i];
  if (config_.entropy > 0) {
    const PolicyTerm here{.percept = known->newest->percept, .weight = 0, .entropy = config_.entropy};
    const auto gradient = policy_->gradient({&here, 1});
    for (std::size_t i = 0; i < change.size(); ++i) change[i] += config_.learning_rate * gradient[i];
  }
  if (config_.weight_decay > 0) {
    const auto parameters = policy_->parameters();
    for (std::size_t i = 0; i < change.size(); ++i)
      change[i] -= config_.learning_rate * config_.weight_decay * parameters[i];
  }
  policy_->add(change);
  ++updates_;
  changes_.push_back({signal.id, std::move(change)});
  if (std::ssize(changes_) > config_.undo) changes_.pop_front();
}

bool Coach::undo(std::int64_t id) {
  const auto found =
      std::find_if(changes_.begin(), changes_.end(), [id](const auto& each) { return each.signal == id; });
  if (found == changes_.end()) return false;
  for (double& number : found->change) number = -number;
  policy_->add(found->change);
  changes_.erase(found);
  ++updates_;
  return true;
}

void Coach::interrupt() {
  delayed_.interrupt();
  newest_.reset();
  shown_.clear();
  for (auto& trace : traces_) std::fill(trace.sum.begin(), trace.sum.end(), 0.0);
}

void Coach::publish() {
  if (version_ == updates_) return;
  policy_->publish();
  version_ = updates_;
}

std::string Coach::state() const {
  std::string bytes;
  policy_->write(bytes);
  delayed_.write(bytes);
  for (const auto& trace : traces_) append(bytes, trace.sum);
  if (newest_) write_pair(bytes, *newest_);
  for (const auto& [signal, change] : changes_) {
    append(bytes, signal);
    append(bytes, change);
  }
  append(bytes, random_.position());
  for (const auto* count : {&updates_, &version_}) append(bytes, *count);
  return bytes;
}

std::unique_ptr<SoftmaxPolicy> policy_for(const environments::Spec& spec, const SoftmaxPolicyConfig& config, Eyes eyes,
                                          std::uint64_t seed) {
  const auto* choices = std::get_if<environments::Discrete>(&spec.action);
  if (!choices)
    throw Error({.category = Category::usage,
                 .where = "environment",
                 .what = "COACH chooses among actions, and those of " + spec.name + " are numbers",
                 .fix = "Choose another environment."});
  if (shows_pictures(spec) && !eyes.frames)
    throw Error({.category = Category::usage,
                 .where = "learner",
                 .what = "COACH sees the pictures of " + spec.name + " through an encoder, and there is none",
                 .fix = "Learn one first, see frame_pretraining.h."});
  if (eyes.scale.empty()) eyes.scale = feature_scale(spec);
  return make_softmax_policy(std::ssize(choices->choices), std::move(eyes), config, seed);
}

std::unique_ptr<Coach> make_coach(const environments::Spec& spec, const CoachConfig& config, std::vector<double> scale,
                                  std::shared_ptr<const models::FrameAutoencoder> frames) {
  const SoftmaxPolicyConfig policy{.hidden = config.hidden, .logit_limit = config.logit_limit};
  return std::make_unique<Coach>(
      policy_for(spec, policy, {.scale = std::move(scale), .frames = std::move(frames), .squash = config.squash},
                 config.seed),
      config);
}

}  // namespace rlhf::algorithms
