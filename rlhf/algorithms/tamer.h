#pragma once
#include <deque>
#include <vector>

#include "rlhf/algorithms/live_learner.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {

struct TamerConfig {
  double credit_low = 0.2;   // s; nobody reacts faster
  double credit_high = 4.0;  // s; Deep TAMER's. The first TAMER had 0.8, better where right and wrong alternate quickly
  double learning_rate = 0.02;  // of one stochastic gradient step
  int replay_every = 1;         // steps between two minibatches from the buffer; 0 = no replay
  int minibatch = 16;           // samples of one minibatch
  int buffer = 20000;           // samples kept, the newest
  std::uint64_t seed = 1;

  void fields(Fields& f) {
    f.field("credit_low", credit_low, "a signal is about what happened at least this many seconds before");
    f.field("credit_high", credit_high, "and at most this many");
    f.field("learning_rate", learning_rate, "of one stochastic gradient step");
    f.field("replay_every", replay_every, "steps between two minibatches from the buffer; 0 = no replay");
    f.field("minibatch", minibatch, "samples of one minibatch");
    f.field("buffer", buffer, "samples kept, the newest");
    f.field("seed", seed, "of the first, random actions and of the minibatches");
  }
  void validate() const;
};

/// The share of a signal at `time` that belongs to a step shown from `begin` to `end`: the chance that the trainer's
/// reaction time, uniform in [low, high], points at it (Warnell et al. 2018, arXiv:1709.10163). Over steps without gaps
/// the shares add up to 1.
double credit(double time, double begin, double end, double low, double high);

/// TAMER (Knox and Stone 2009) with the credit and the replay of Deep TAMER and a linear model: for each action a
/// linear function of the features predicts the trainer's signal, fitted to shared-out signals by weighted least
/// squares,
///
///     loss(step, signal) = credit * (weights[action] . features - value)^2,
///
/// and the agent does what it expects to be liked best. Until the first signal it acts at random.
///
///   features    observation * scale, and a constant 1; `scale` has one number for each of the observation's
///   actions     how many there are
///
/// Differs from the paper: a step of a signal's own set is normalised by the credits' sum, so that the frame rate does
/// not change the learning rate. Undo removes a signal's samples from the buffer; what they taught fades by replay.
class Tamer : public LiveLearner {
 public:
  Tamer(std::int64_t actions, std::vector<double> scale, const TamerConfig& config = {});

  data::Action act(const data::Array& observation) override;
  void observe(const LiveStep& step) override;
  void signal(const LiveSignal& signal) override;
  bool undo(std::int64_t id) override;
  void interrupt() override { window_.clear(); }
  void publish() override;
  std::int64_t version() const override { return version_; }
  std::string state() const override;

  /// The predicted signal of each action.
  std::vector<double> predict(const data::Array& observation) const;

 private:
  using Features = std::vector<double>;
  struct Seen {
    Features features;
    std::int64_t action;
    double begin, end;
  };
  struct Sample {
    Features features;
    std::int64_t action;
    double value, weight;  // the signal and the share of it
    std::int64_t signal;
  };

  Features features(const data::Array& observation) const;
  void learn(const std::vector<const Sample*>& batch);

  TamerConfig config_;
  std::vector<double> scale_;
  std::vector<std::vector<double>> learnt_, published_;  // [actions, features]
  std::deque<Seen> window_;                              // steps that a signal may still be about
  std::deque<Sample> buffer_;
  Random random_;
  std::int64_t steps_ = 0, signals_ = 0, updates_ = 0, version_ = 0;
};

}  // namespace rlhf::algorithms
