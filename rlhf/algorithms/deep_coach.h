#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "rlhf/algorithms/coach.h"

namespace rlhf::algorithms {

/// Constants are those of a public implementation or recalled from the paper, the rate and the buffer excepted: they
/// are measured (recipes/coach). Old windows hold back a change of mind.
struct DeepCoachConfig {
  std::vector<std::int64_t> hidden = {30, 30};  // of the policy's network; none = a linear policy
  double learning_rate = 0.05;                  // alpha
  double delay = 0.2;                           // s; from what happens to the signal about it
  double trace = 0.35;                          // lambda, a step
  std::int64_t window = 10;                     // steps that a signal is about, at most
  std::int64_t buffer = 50;                     // windows kept, the newest
  std::int64_t minibatch = 16;                  // windows of an update
  std::int64_t update_every = 1;                // steps between two updates without a signal; 0 = none
  double entropy = 1.5;                         // beta
  double ratio_limit = 10.0;                    // importance ratios are cut off there
  double logit_limit = 0.0;                     // see softmax_policy.h
  bool greedy = true;                           // does the likeliest action: people can read it more easily
  std::uint64_t seed = 1;

  void fields(Fields& f) {
    f.field("hidden", hidden, "widths of the hidden layers of the policy's network; none = a linear policy");
    f.field("learning_rate", learning_rate, "of plain gradient steps");
    f.field("delay", delay, "seconds from what happens to the signal about it");
    f.field("trace", trace, "what remains of an eligibility trace after a step");
    f.field("window", window, "steps that a signal is about, at most");
    f.field("buffer", buffer, "signals kept with their windows, the newest");
    f.field("minibatch", minibatch, "windows of an update");
    f.field("update_every", update_every, "steps between two updates without a signal; 0 = none");
    f.field("entropy", entropy, "weight of the policy's entropy in what an update climbs");
    f.field("ratio_limit", ratio_limit, "importance ratios are cut off there");
    f.field("logit_limit", logit_limit, "scores stay within this, so that no action gets impossible; 0 = no limit");
    f.field("greedy", greedy, "does the likeliest action instead of drawing one");
    f.field("seed", seed, "of the first weights, of the minibatches and of the actions that are drawn");
  }
  void validate() const;
};

/// What is kept of a signal: the steps that led to what it was about, the oldest first, each with the chance that its
/// action had then, mu. Steps about which nobody said anything are among them.
struct FeedbackWindow {
  std::vector<LivePair> steps;
  double value = 0.0;
  std::int64_t signal = 0;
};

/// The terms of f e for one window, e <- lambda e + [pi / mu] grad log pi from its first step to its last: each step's
/// log-chance has the weight f lambda^(steps after it) pi / mu, the ratio at most `ratio_limit`, over `share`.
std::vector<PolicyTerm> window_terms(const SoftmaxPolicy& policy, const FeedbackWindow& window, double trace,
                                     double ratio_limit, double share);

/// Deep COACH (Arumugam, Lee, Saskin, Littman 2019, arXiv:1902.04257): real-time COACH with a small network behind a
/// frozen encoder, which learns from every signal many times. At each signal and in between,
///
///   theta <- theta + alpha (mean of f e over a minibatch of windows + beta grad H(pi(. | s_t)))
///
/// by plain gradient steps. A signal's window ends `delay` before the step that was on the screen at the signal's time,
/// as in coach.h. `greedy`: mu is still the softmax's chance of what was done.
///
/// Differs from the paper: importance ratios are cut off, since a greedy agent also does what has a small chance. Undo
/// removes a signal's window; what it taught fades by replay. state() leaves out what coach.h leaves out.
class DeepCoach final : public LiveLearner {
 public:
  DeepCoach(std::unique_ptr<SoftmaxPolicy> policy, const DeepCoachConfig& config);

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
  std::int64_t windows() const { return std::ssize(buffer_); }

 private:
  void update();
  Percept perceive(const data::Array& observation);

  DeepCoachConfig config_;
  std::unique_ptr<SoftmaxPolicy> policy_;
  DelayedSteps delayed_;
  std::deque<LivePair> recent_;             // the episode's last ones that a signal may be about
  ShownSteps<std::deque<LivePair>> shown_;  // `recent_` as it was
  std::deque<FeedbackWindow> buffer_;
  Percept seen_;  // s_t
  Glance glance_;
  Random acts_, draws_;
  std::int64_t steps_ = 0, updates_ = 0, version_ = 0;
};

/// As make_coach.
std::unique_ptr<DeepCoach> make_deep_coach(const environments::Spec& spec, const DeepCoachConfig& config,
                                           std::vector<double> scale,
                                           std::shared_ptr<const models::FrameAutoencoder> frames);

}  // namespace rlhf::algorithms
