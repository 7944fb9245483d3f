#pragma once
#include "recipes/recursive_reward_modeling/inspection.h"

namespace rlhf::recipes {

struct FinderConfig {
  std::int64_t labels = 300;   // comparisons of two proposals
  std::int64_t proposals = 3;  // places in each
  std::int64_t updates = 80;   // of the policy, on the reward model
  std::int64_t outputs = 8;    // in an update
  std::int64_t draws = 4;      // proposals for each of them, which are compared with their mean
  double learning_rate = 2e-2;
  double entropy = 0.0;  // weight
  control::RewardEnsembleConfig reward{.members = 3, .learning_rate = 3e-3, .adapt_l2 = false, .centred = false};
  std::int64_t fit_updates = 400;
  std::uint64_t seed = 0;

  void fields(Fields& f);
};

/// A helper that says where to look: A_1 of recursive reward modelling. It scores each place from its features; the
/// proposal is drawn from the softmax, one place after the other.
///
/// It is trained by reward modelling on a question that a person answers alone: of two proposals, both opened, which
/// one showed more faults? Whether anybody then agrees with it about whole outputs never enters.
class Finder {
 public:
  Finder(std::int64_t features, const FinderConfig& config);

  /// One round of reward modelling on `practice`, outputs of its own that are judged nowhere else. False when asked to
  /// stop.
  bool train(const std::vector<Output>& practice, feedback::Store& store, double error_rate,
             const std::function<bool()>& stop_requested);

  /// Places to look at; `turned` gives the least likely ones: a helper that works against the evaluator.
  std::vector<std::int64_t> propose(const Output& output, std::int64_t count, Random& random,
                                    bool turned = false) const;

 private:
  Tensor logits(const std::vector<const Output*>& outputs) const;  // [places of all], differentiable
  std::optional<bool> fit_reward(control::RewardEnsemble& reward, const std::vector<Output>& practice,
                                 feedback::Store& store, double error_rate,
                                 const std::function<bool()>& stop_requested);
  void reinforce(const control::RewardEnsemble& reward, const std::vector<Output>& practice);

  FinderConfig config_;
  std::unique_ptr<models::Network> network_;
  std::int64_t features_;
};

/// [places, features]
Tensor features_of(const Output& output, std::span<const std::int64_t> places);

}  // namespace rlhf::recipes
