#pragma once
#include <deque>
#include <optional>
#include <vector>

#include "rlhf/algorithms/live_learner.h"
#include "rlhf/algorithms/signal_model.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {

/// What a signal says about the steps that it may be about.
enum class CreditRule {
  each,  // each signal labels each of them, weighted by its share: the first TAMER's, and Deep TAMER's
  sum,   // a step's one label is the sum of its shares of all signals, 0 in silence, once no more can come (Knox 2012)
};

/// The function that predicts signals.
enum class SignalModelKind { automatic, linear, deep };  // automatic: deep for pictures, else linear

struct TamerConfig {
  SignalModelKind model = SignalModelKind::automatic;
  double credit_low = 0.2;   // s; nobody reacts faster
  double credit_high = 4.0;  // s; Deep TAMER's. The first TAMER had 0.8, better where right and wrong alternate quickly
  CreditRule credit = CreditRule::each;
  double learning_rate = 0.1;  // of one stochastic gradient step of the linear model
  bool squash = false;         // tanh of each scaled number
  DeepSignalConfig deep;
  int replay_every = 1;   // steps between two minibatches from the buffer; 0 = no replay
  int minibatch = 32;     // samples of one minibatch
  bool balanced = false;  // as many of its samples from praise as from scolding, where there is both
  int buffer = 20000;     // samples kept, the newest
  std::uint64_t seed = 1;

  void fields(Fields& f) {
    f.choice("model", model,
             {{"automatic", SignalModelKind::automatic},
              {"linear", SignalModelKind::linear},
              {"deep", SignalModelKind::deep}},
             "that predicts signals: a small network for pictures, else a linear function; or always one of them");
    f.field("credit_low", credit_low, "a signal is about what happened at least this many seconds before");
    f.field("credit_high", credit_high, "and at most this many");
    f.choice("credit", credit, {{"each", CreditRule::each}, {"sum", CreditRule::sum}},
             "each signal labels the steps it may be about; or a step's label is the sum of its shares, 0 in silence");
    f.field("learning_rate", learning_rate, "of one stochastic gradient step of the linear model");
    f.field("squash", squash, "the model sees the hyperbolic tangent of each scaled number");
    f.group("deep", deep, "the small network");
    f.field("replay_every", replay_every, "steps between two minibatches from the buffer; 0 = no replay");
    f.field("minibatch", minibatch, "samples of one minibatch");
    f.field("balanced", balanced, "as many of its samples from praise as from scolding, where there is both");
    f.field("buffer", buffer, "samples kept, the newest");
    f.field("seed", seed, "of the first weights, of random actions and of the minibatches");
  }
  void validate() const;
};

/// The share of a signal at `time` that belongs to a step shown from `begin` to `end`: the chance that the trainer's
/// reaction time, uniform in [low, high], points at it (Warnell et al. 2018, arXiv:1709.10163). Over steps without gaps
/// the shares add up to 1.
double credit(double time, double begin, double end, double low, double high);

/// TAMER (Knox and Stone 2009) and Deep TAMER (Warnell et al. 2018). A model predicts the trainer's signal for each
/// action, fitted to shared-out signals by weighted least squares,
///
///     loss(step, signal) = credit * (H(observation)[action] - value)^2,
///
/// once on all that a new signal is about, and every `replay_every` steps on a minibatch of all that was said. The
/// agent does what it expects to be liked best; equals share their chance. Until the first signal it acts at random.
///
/// Differs from the paper: an update is normalised by its credits' sum, so that the frame rate does not change the
/// learning rate. Undo removes a signal's samples from the buffer; what they taught fades by replay.
class Tamer : public LiveLearner {
 public:
  Tamer(std::unique_ptr<SignalModel> model, const TamerConfig& config);
  /// With the linear model.
  Tamer(std::int64_t actions, std::vector<double> scale, const TamerConfig& config = {});

  data::Action act(const data::Array& observation) override;
  void observe(const LiveStep& step) override;
  void signal(const LiveSignal& signal) override;
  bool undo(std::int64_t id) override;
  void interrupt() override;
  void publish() override;
  std::int64_t version() const override { return version_; }
  std::string state() const override;

  /// The predicted signal of each action.
  std::vector<double> predict(const data::Array& observation) const {
    return model_->predict(model_->perceive(observation));
  }
  /// What it would do, the first of equals; changes nothing.
  std::int64_t best(const data::Array& observation) const;
  /// Samples kept, and the share of them from praise.
  std::int64_t samples() const { return std::ssize(buffer_); }
  double praise() const;

 private:
  struct Seen {
    Percept percept;
    std::int64_t action;
    double begin, end;
    std::vector<std::pair<std::int64_t, double>> said = {};  // signal, share of its value: for CreditRule::sum
  };
  struct Kept : SignalSample {
    std::int64_t signal = 0;
  };

  Percept perceive(const data::Array& observation);
  void replay();
  void learn(const std::vector<const SignalSample*>& batch);
  void settle(const Seen& step);
  const Kept& draw(std::optional<bool> praise);

  TamerConfig config_;
  std::unique_ptr<SignalModel> model_;
  std::deque<Seen> window_;  // steps that a signal may still be about
  std::deque<Kept> buffer_;
  std::int64_t praised_ = 0;  // samples of the buffer whose value is above 0
  Glance glance_;
  Random random_;
  std::int64_t steps_ = 0, signals_ = 0, updates_ = 0, version_ = 0;
};

/// For an environment whose actions are choices; `frames` is the encoder that a deep model needs for pictures. Throws
/// rlhf::Error (usage) for other actions, and where there is no encoder.
std::unique_ptr<Tamer> make_tamer(const environments::Spec& spec, const TamerConfig& config, std::vector<double> scale,
                                  std::shared_ptr<const models::FrameAutoencoder> frames);

/// Does a learner with these settings need an encoder there?
bool needs_encoder(const environments::Spec& spec, const TamerConfig& config);

}  // namespace rlhf::algorithms
