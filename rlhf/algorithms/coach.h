#pragma once
#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "rlhf/algorithms/delayed_steps.h"
#include "rlhf/algorithms/shown_steps.h"
#include "rlhf/algorithms/softmax_policy.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {

struct CoachConfig {
  std::vector<std::int64_t> hidden;  // of the policy's network; none = a linear policy, as on the paper's robot
  bool squash = true;                // tanh of each scaled number, as on the paper's robot
  double learning_rate = 0.05;       // alpha
  double delay = 0.2;                // s; from what happens to the signal about it
  double trace = 0.95;               // lambda of ordinary signals, a step
  double great = 4.0;                // signals at least this large, either way, have the long trace
  double great_trace = 0.9999;       // lambda of those
  double logit_limit = 0.0;          // see softmax_policy.h
  double entropy = 0.0;              // weight of the policy's entropy in what a signal's update climbs
  double weight_decay = 0.0;         // a signal takes off learning_rate * weight_decay * parameters
  bool greedy = false;               // does the likeliest action instead of drawing one
  int undo = 20;                     // signals that can be taken back, the newest
  std::uint64_t seed = 1;

  void fields(Fields& f) {
    f.field("hidden", hidden, "widths of the hidden layers of the policy's network; none = a linear policy");
    f.field("squash", squash, "the policy sees the hyperbolic tangent of each scaled number");
    f.field("learning_rate", learning_rate, "of a signal of 1, by plain gradient steps");
    f.field("delay", delay, "seconds from what happens to the signal about it");
    f.field("trace", trace, "what remains of an eligibility trace after a step, for ordinary signals");
    f.field("great", great, "signals at least this large, either way, are about the long trace");
    f.field("great_trace", great_trace, "what remains of that one after a step");
    f.field("logit_limit", logit_limit, "scores stay within this, so that no action gets impossible; 0 = no limit");
    f.field("entropy", entropy, "weight of the policy's entropy in what each signal's update climbs");
    f.field("weight_decay", weight_decay, "each signal takes off learning_rate times this share of the parameters");
    f.field("greedy", greedy, "does the likeliest action instead of drawing one");
    f.field("undo", undo, "signals that can be taken back, the newest");
    f.field("seed", seed, "of a network's first weights and of the actions that are drawn");
  }
  void validate() const;
};

/// Real-time COACH (MacGlashan et al. 2017, arXiv:1701.06049): what people say is an advantage, and takes its place in
/// the actor's update. At each step t, for each trace decay lambda,
///
///   e <- lambda e + grad log pi(a_{t-d} | s_{t-d})        at the parameters of now
///
/// and for each signal f, which its size gives one of the decays,
///
///   theta <- theta + alpha f e
///
/// with t the step that was on the screen at the signal's time: a press that came over a network takes the traces as
/// they were then, and one that is more than a second late changes nothing. By plain gradient steps: a normalised step
/// would cancel how strongly somebody felt. Silence changes nothing. A new episode's first step starts the traces anew,
/// when it has waited for d steps like all others: a late signal is still about the episode before. Nothing reaches
/// over a pause.
///
/// Undo takes back exactly what a signal changed. state() leaves out the traces of earlier steps, which only a signal
/// that is still on its way would need.
class Coach final : public LiveLearner {
 public:
  Coach(std::unique_ptr<SoftmaxPolicy> policy, const CoachConfig& config);

  data::Action act(const data::Array& observation) override;
  void observe(const LiveStep& step) override;
  void signal(const LiveSignal& signal) override;
  bool undo(std::int64_t id) override;
  void interrupt() override;
  void publish() override;
  std::int64_t version() const override { return version_; }
  std::string state() const override;

  /// Chances of the actions, as the published policy has them; changes nothing.
  std::vector<double> chances(const data::Array& observation) const {
    return policy_->chances(policy_->perceive(observation));
  }
  const SoftmaxPolicy& policy() const { return *policy_; }
  std::int64_t delay_steps() const { return delayed_.steps(); }  // d

 private:
  struct Trace {
    double decay;
    ParameterVector sum;
  };
  struct Known {
    std::array<ParameterVector, 2> traces;
    std::optional<LivePair> newest;
  };
  struct Change {
    std::int64_t signal;
    ParameterVector change;
  };
  void credit(const LivePair& pair);

  CoachConfig config_;
  std::unique_ptr<SoftmaxPolicy> policy_;
  DelayedSteps delayed_;
  std::array<Trace, 2> traces_;     // of ordinary signals, of great ones
  std::optional<LivePair> newest_;  // that the traces know
  ShownSteps<Known> shown_;
  std::deque<Change> changes_;  // the last ones
  Glance glance_;
  Random random_;
  std::int64_t updates_ = 0, version_ = 0;
};

/// For an environment whose actions are choices; `frames` is the encoder that pictures are seen through. Throws
/// rlhf::Error (usage) for other actions, and for pictures without an encoder.
std::unique_ptr<Coach> make_coach(const environments::Spec& spec, const CoachConfig& config, std::vector<double> scale,
                                  std::shared_ptr<const models::FrameAutoencoder> frames);

/// The policy of a learner of this name for these surroundings; throws as above.
std::unique_ptr<SoftmaxPolicy> policy_for(const environments::Spec& spec, const SoftmaxPolicyConfig& config, Eyes eyes,
                                          std::uint64_t seed);

}  // namespace rlhf::algorithms
