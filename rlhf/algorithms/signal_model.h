#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rlhf/algorithms/optimizer.h"
#include "rlhf/algorithms/percept.h"

namespace rlhf::algorithms {

/// A signal as a label of one step.
struct SignalSample {
  Percept percept;
  std::int64_t action = 0;
  double value = 0.0;   // what was said
  double weight = 0.0;  // the share of it that is about this step
};

/// H: the signal that a trainer is expected to give for each action. Learning changes one set of weights, acting uses
/// another, and `publish` copies the first to the second.
class SignalModel {
 public:
  virtual ~SignalModel() = default;

  /// Throws rlhf::Error (usage) for an observation of another size than it was made for.
  virtual Percept perceive(const data::Array& observation) const = 0;
  virtual std::vector<double> predict(const Percept& percept) const = 0;  // published, one for each action
  /// One gradient step on  sum of weight * (H(percept)[action] - value)^2  over the sum of weights, which is above 0.
  virtual void fit(const std::vector<const SignalSample*>& batch) = 0;
  virtual void publish() = 0;
  virtual std::int64_t actions() const = 0;
  virtual void write(std::string& bytes) const = 0;  // appends all that decides what it does from here on
};

/// For each action a linear function of what the eyes see and a constant 1, from zero, by plain gradient steps.
std::unique_ptr<SignalModel> linear_signal(std::int64_t actions, Eyes eyes, double learning_rate);

struct DeepSignalConfig {
  std::vector<std::int64_t> hidden = {16, 16};  // Deep TAMER's (from memory, see recipes/deep_tamer)
  double learning_rate = 1e-3;
  AdamConfig adam;

  void fields(Fields& f) {
    f.field("hidden", hidden, "widths of the hidden layers");
    f.field("learning_rate", learning_rate, "of Adam");
    f.group("adam", adam, "the optimiser");
  }
  void validate() const;
};

/// Deep TAMER's: a small network with one output for each action, by Adam. First weights are small and random.
std::unique_ptr<SignalModel> deep_signal(std::int64_t actions, Eyes eyes, const DeepSignalConfig& config,
                                         std::uint64_t seed);

}  // namespace rlhf::algorithms
