#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlhf/algorithms/percept.h"

namespace rlhf::algorithms {

/// A term of what a policy climbs: weight * log pi(action | percept) + entropy * H(pi(. | percept)), in nats.
struct PolicyTerm {
  Percept percept;
  std::int64_t action = 0;
  double weight = 1.0;
  double entropy = 0.0;
};

/// One number for each parameter, in an order that never changes.
using ParameterVector = std::vector<double>;

/// pi: a softmax over one score for each action. Learning changes one set of parameters, acting uses another, and
/// `publish` copies the first to the second.
class SoftmaxPolicy {
 public:
  virtual ~SoftmaxPolicy() = default;

  /// Throws rlhf::Error (usage) for an observation of another size than it was made for.
  virtual Percept perceive(const data::Array& observation) const = 0;
  virtual std::vector<double> chances(const Percept& percept) const = 0;  // published, one for each action
  /// pi(action | percept) of each term as it is learnt by now; [terms].
  virtual std::vector<double> learnt_chances(std::span<const PolicyTerm> terms) const = 0;
  /// The gradient of the sum of the terms at the parameters that are learnt by now.
  virtual ParameterVector gradient(std::span<const PolicyTerm> terms) const = 0;
  virtual ParameterVector parameters() const = 0;  // learnt
  virtual void add(const ParameterVector& change) = 0;
  virtual void publish() = 0;
  virtual std::int64_t actions() const = 0;
  virtual void write(std::string& bytes) const = 0;  // appends all that decides what it does from here on
};

struct SoftmaxPolicyConfig {
  std::vector<std::int64_t> hidden;  // widths of a network's hidden layers; none = a linear function
  double logit_limit = 0.0;          // 0 = none

  void validate() const;
};

/// Scores by a linear function of what the eyes see and a constant 1, from zero; or by a small network (tanh units,
/// small random first weights), through which gradients go by automatic differentiation.
///
/// With a `logit_limit` L the scores are L tanh(score / L), so that no action's chance falls below about exp(-2 L) and
/// what was learnt too early can be unlearnt.
std::unique_ptr<SoftmaxPolicy> make_softmax_policy(std::int64_t actions, Eyes eyes, const SoftmaxPolicyConfig& config,
                                                   std::uint64_t seed);

/// The action for a number drawn from 0 .. 1.
std::int64_t drawn_action(const std::vector<double>& chances, double uniform);

/// The likeliest action, the first of equals.
std::int64_t likeliest_action(const std::vector<double>& chances);

}  // namespace rlhf::algorithms
