#include "rlhf/algorithms/deep_coach.h"

#include <algorithm>

#include "rlhf/algorithms/detail/state_bytes.h"
#include "rlhf/core/require.h"

namespace rlhf::algorithms {
void DeepCoachConfig::validate() const {
  SoftmaxPolicyConfig{.hidden = hidden, .logit_limit = logit_limit}.validate();
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(delay >= 0 && delay <= 10, "delay", "Give 0 to 10 seconds.");
  require_setting(trace >= 0 && trace <= 1, "trace", "Give 0 to 1.");
  require_setting(window >= 1, "window", "Give 1 or more steps.");
  require_setting(buffer >= 1, "buffer", "Give 1 or more signals.");
  require_setting(minibatch >= 1, "minibatch", "Give 1 or more windows.");
  require_setting(update_every >= 0, "update_every", "Give 0 or more steps.");
  require_setting(entropy >= 0, "entropy", "Give 0 or more.");
  require_setting(ratio_limit > 0, "ratio_limit", "Give a limit above 0; 10 is usual.");
}

std::vector<PolicyTerm> window_terms(const SoftmaxPolicy& policy, const FeedbackWindow& window, double trace,
                                     double ratio_limit, double share) {
  std::vector<PolicyTerm> terms;
  for (const auto& step : window.steps) terms.push_back({.percept = step.percept, .action = step.action});
  const auto chances = policy.learnt_chances(terms);
  double weight = window.value / share;
  for (auto i = terms.size(); i-- > 0; weight *= trace)
    terms[i].weight = weight * std::clamp(chances[i] / window.steps[i].chance, 0.0, ratio_limit);
  return terms;
}

DeepCoach::DeepCoach(std::unique_ptr<SoftmaxPolicy> policy, const DeepCoachConfig& config)
    : config_(config),
      policy_(std::move(policy)),
      delayed_(config.delay),
      acts_(derive(config.seed, {hash("deep_coach.acts")})),
      draws_(derive(config.seed, {hash("deep_coach.draws")})) {
  config.validate();
}

Percept DeepCoach::perceive(const data::Array& observation) {
  return glance_(observation, [this](const data::Array& seen) { return policy_->perceive(seen); });
}

data::Action DeepCoach::act(const data::Array& observation) {
  const auto chances = policy_->chances(perceive(observation));
  return config_.greedy ? likeliest_action(chances) : drawn_action(chances, acts_.uniform());
}

void DeepCoach::observe(const LiveStep& step) {
  seen_ = perceive(step.observation);
  const auto action = std::get<std::int64_t>(step.action);
  const double chance =
      policy_->chances(seen_)[static_cast<std::size_t>(action)];  // nothing was published since it acted
  delayed_.push({.percept = seen_, .action = action, .chance = chance}, step);
  while (auto pair = delayed_.next()) {
    if (pair->first) recent_.clear();
    recent_.push_back(std::move(*pair));
    if (std::ssize(recent_) > config_.window) recent_.pop_front();
  }
  shown_.push(step, recent_);
  ++steps_;
  if (config_.update_every > 0 && steps_ % config_.update_every == 0 && !buffer_.empty()) update();
}

void DeepCoach::signal(const LiveSignal& signal) {
  const auto* steps = shown_.at(signal.time);
  if (!steps || steps->empty() || signal.value == 0) return;
  buffer_.push_back({.steps = {steps->begin(), steps->end()}, .value = signal.value, .signal = signal.id});
  if (std::ssize(buffer_) > config_.buffer) buffer_.pop_front();
  update();
}

void DeepCoach::update() {
  std::vector<PolicyTerm> terms;
  for (std::int64_t i = 0; i < config_.minibatch; ++i) {
    const auto& window = buffer_[static_cast<std::size_t>(draws_.below(std::ssize(buffer_)))];
    const auto some =
        window_terms(*policy_, window, config_.trace, config_.ratio_limit, static_cast<double>(config_.minibatch));
    terms.insert(terms.end(), some.begin(), some.end());
  }
  terms.push_back({.percept = seen_, .weight = 0, .entropy = config_.entropy});
  auto change = policy_->gradient(terms);
  for (double& number : change) number *= config_.learning_rate;
  policy_->add(change);
  ++updates_;
}

bool DeepCoach::undo(std::int64_t id) {
  return std::erase_if(buffer_, [id](const FeedbackWindow& window) { return window.signal == id; }) > 0;
}

void DeepCoach::interrupt() {
  delayed_.interrupt();
  recent_.clear();
  shown_.clear();
}

void DeepCoach::publish() {
  if (version_ == updates_) return;
  policy_->publish();
  version_ = updates_;
}

std::string DeepCoach::state() const {
  std::string bytes;
  policy_->write(bytes);
  delayed_.write(bytes);
  for (const auto& pair : recent_) write_pair(bytes, pair);
  for (const auto& window : buffer_) {
    append(bytes, window.value);
    append(bytes, window.signal);
    for (const auto& pair : window.steps) write_pair(bytes, pair);
  }
  for (const auto* random : {&acts_, &draws_}) append(bytes, random->position());
  for (const auto* count : {&steps_, &updates_, &version_}) append(bytes, *count);
  return bytes;
}

std::unique_ptr<DeepCoach> make_deep_coach(const environments::Spec& spec, const DeepCoachConfig& config,
                                           std::vector<double> scale,
                                           std::shared_ptr<const models::FrameAutoencoder> frames) {
  const SoftmaxPolicyConfig policy{.hidden = config.hidden, .logit_limit = config.logit_limit};
  return std::make_unique<DeepCoach>(
      policy_for(spec, policy, {.scale = std::move(scale), .frames = std::move(frames)}, config.seed), config);
}

}  // namespace rlhf::algorithms
