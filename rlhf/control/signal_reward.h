#pragma once
#include <filesystem>

#include "rlhf/algorithms/live_learner.h"
#include "rlhf/control/clip_inputs.h"
#include "rlhf/control/on_policy.h"
#include "rlhf/models/network.h"

namespace rlhf::control {

// A reward model of what people said in a session (algorithms/session.h): its log, which has taught TAMER or COACH,
// becomes the reward of any agent.

struct SignalRewardConfig {
  models::NetworkConfig network{.activation = models::Activation::relu, .initial = models::Initial::uniform};
  double credit_low = 0.2;      // s; a signal is about what happened at least this long before ...
  double credit_high = 0.8;     // ... and at most this long
  std::int64_t passes = 100;    // over all that was said
  std::int64_t minibatch = 32;  // shares of signals
  double learning_rate = 1e-3;
  double weight_decay = 1e-2;
  double heldout = 0.1;  // share of the signals that it is not fitted to
  std::uint64_t seed = 1;

  void fields(Fields& f);
  void validate() const;
};

/// Lets relearn_session collect what a session's signals are about: each signal labels the steps in its credit window,
/// weighted by its share of them (algorithms::credit). It learns nothing and never acts.
class SignalSteps final : public algorithms::LiveLearner {
 public:
  struct Label {
    std::int64_t signal, step;  // its id; which of steps()
    double value, weight;
  };

  explicit SignalSteps(const SignalRewardConfig& config) : low_(config.credit_low), high_(config.credit_high) {}

  data::Action act(const data::Array&) override;
  void observe(const algorithms::LiveStep& step) override { steps_.push_back(step); }
  void signal(const algorithms::LiveSignal& signal) override;
  bool undo(std::int64_t id) override;
  void interrupt() override { first_ = steps_.size(); }
  void publish() override {}
  std::int64_t version() const override { return 0; }
  std::string state() const override { return {}; }

  const std::vector<algorithms::LiveStep>& steps() const { return steps_; }
  const std::vector<Label>& labels() const { return labels_; }

 private:
  double low_, high_;
  std::size_t first_ = 0;  // step that a signal may be about: nothing reaches over a pause
  std::vector<algorithms::LiveStep> steps_;
  std::vector<Label> labels_;
};

struct SignalFit {
  std::int64_t signals = 0, heldout = 0;  // that are about something; those of them that it was not fitted to
  double loss = 0, heldout_loss = 0;      // weighted mean squared error; NaN where there is nothing to measure
  double heldout_accuracy = 0;            // weighted share of labels whose sign it has
};

/// The signal that people would give for a step, as its reward: a network of what the agent saw and did.
class SignalReward {
 public:
  /// Throws rlhf::Error (usage) where the network cannot read these observations.
  SignalReward(const environments::Spec& spec, const SignalRewardConfig& config);
  /// As write() left it. Throws rlhf::Error: bad_data for a file that is missing or of another shape, usage for another
  /// environment than the session's, or one that is seen in another way.
  SignalReward(const std::filesystem::path& folder, const environments::Spec& spec);

  /// Weighted least squares, loss = weight * (reward(observation, action) - value)^2, by Adam. Throws rlhf::Error
  /// (usage) when no signal is about anything.
  SignalFit fit(const SignalSteps& said);
  /// <folder>/reward.safetensors
  void write(const std::filesystem::path& folder) const;

  Tensor operator()(const Tensor& observations, const Tensor& actions) const;  // [rows]; no gradient
  OnPolicyHooks hooks() const;  // pays an agent with it; `this` has to outlive them

 private:
  SignalRewardConfig config_;
  environments::Spec spec_;
  RewardInputs inputs_;
  std::unique_ptr<models::Network> network_;
};

}  // namespace rlhf::control
