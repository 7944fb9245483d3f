#pragma once
#include <optional>

#include "rlhf/algorithms/optimizer.h"
#include "rlhf/control/clip_comparison.h"
#include "rlhf/core/checkpoint.h"
#include "rlhf/core/seed.h"
#include "rlhf/models/network.h"

namespace rlhf::control {

/// What the sums of rewards over clips are fitted to.
enum class FitTo {
  comparisons,  // which clip was preferred
  returns,      // what the clips earned in truth, by squared error: the paper's ablation "target"
};

struct RewardEnsembleConfig {
  FitTo fit_to = FitTo::comparisons;
  std::int64_t members = 3;
  models::NetworkConfig network{.activation = models::Activation::leaky_relu, .initial = models::Initial::uniform};
  double noise = 0.1;  // share of answers taken to be coin tosses
  double learning_rate = 1e-3;
  std::int64_t minibatch = 16;  // comparisons
  double l2 = 1e-4;             // weight decay at the start ...
  bool adapt_l2 = true;  // ... which then keeps the loss on held-out answers between 1.1 and 1.5 times the others'
  // Standard deviation of the rewards given to the learner. For PPO 0.1: it clips the gradients of policy and value
  // together, and the value's, which grow with it, leave little.
  double deviation = 1.0;
  bool centred = true;  // their mean is 0, right where all episodes last equally long; otherwise a step's worth counts
  // What Ibarz et al. 2018 (arXiv:1811.06521) add, while fitting:
  double prior = 0.0;         // of the loss for the mean square of the rewards, unnormalised: they are near 0 till told
  double input_noise = 0.0;   // standard deviation of Gaussian noise on what the networks read
  double dropout = 0.0;       // share of hidden units left out
  std::int64_t measured = 0;  // comparisons, drawn anew each time, that losses, l2 and normalisation go by; 0 = all
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

struct EnsembleFit {
  // Nats a comparison (squared error where returns are fitted to), mean over members; the held-out ones are each
  // member's own.
  double loss = 0, heldout_loss = 0;
  double accuracy = 0, heldout_accuracy = 0;  // share ordered as the teacher did, ties left out
  double l2 = 0;                              // mean over members
};

/// A reward for each step, from comparisons of clips (Christiano et al. 2017, arXiv:1706.03741, section 2.2.3): the
/// clip with the greater sum of rewards is the likelier to be preferred.
///
///   member m counts comparison i Poisson(1) times, a function of (seed, m, i), which is drawing with replacement for
///   data that keep coming (Oza and Russell 2001); the share 1/e that it never counts is what it is validated on
///   every 25 updates of a member its l2 moves, where the loss on those is not 1.1 to 1.5 times that on the others
///   each member's output has mean 0 and deviation 1 over the steps of all clips; their mean is scaled to `deviation`
class RewardEnsemble {
 public:
  /// `seen`: the shape [...] of what is read of a step. Pictures [channels, height, width] may be bytes, which are read
  /// as shares of white, a few clips at a time. Throws rlhf::Error (usage) where the network cannot read that shape.
  RewardEnsemble(const std::vector<std::int64_t>& seen, const RewardEnsembleConfig& config);
  RewardEnsemble(std::int64_t width, const RewardEnsembleConfig& config) : RewardEnsemble(std::vector{width}, config) {}

  /// Comparisons that came in; they are kept.
  void add(std::vector<ClipComparison> comparisons);
  std::int64_t comparisons() const { return std::ssize(comparisons_); }

  /// `updates` minibatches for each member, then a new normalisation. Going on from the present weights.
  EnsembleFit fit(std::int64_t updates);

  /// [rows, ...] -> [rows], normalised; no gradient.
  Tensor rewards(const Tensor& inputs) const;

  /// Each member's probability that the first clip is preferred: [members, pairs].
  Tensor probabilities(const std::vector<ClipComparison>& pairs) const;

  /// Share of comparisons that the ensemble orders as they say; ties left out.
  double accuracy(const std::vector<ClipComparison>& comparisons) const;

  std::int64_t version() const { return version_; }  // grows with every fit

  /// Weights, optimisers, normalisation; the comparisons come from the store.
  void save(State& state, const std::string& prefix) const;
  void restore(const State& state, const std::string& prefix);

 private:
  struct Member {
    std::unique_ptr<models::Network> network;
    std::unique_ptr<algorithms::AdamW> optimizer;
    double mean = 0.0, deviation = 1.0, l2 = 0.0;
    std::int64_t updates = 0;         // so far, of all fits
    std::vector<std::int64_t> train;  // comparisons, those counted twice twice
    std::vector<float> counts;        // how often each comparison is in `train`; 0 = held out
  };
  struct Judged {
    Tensor rewards;  // [steps] of all clips, unnormalised
    Tensor sums;     // [2 pairs] over each clip
    Tensor gaps() const { return gaps_of(sums); }
  };
  struct Scores {
    double loss = 0, accuracy = 0;  // NaN where nothing was measured
  };
  struct Measures {
    Scores train, heldout;
    double mean = 0, deviation = 0;  // of the rewards
  };
  using Chosen = std::vector<const ClipComparison*>;
  Judged judge(const Member& member, ClipComparisons comparisons,
               std::optional<std::uint64_t> disturbance = std::nullopt) const;
  Judged judge_all(const Member& member, const Chosen& comparisons) const;
  Tensor losses(const Judged& judged, ClipComparisons comparisons) const;
  Chosen chosen(std::span<const std::int64_t> indices) const;
  std::vector<std::int64_t> measured_on() const;
  Measures measure(const Member& member, const std::vector<std::int64_t>& on) const;
  void learn(Member& member, const Chosen& picked, std::uint64_t disturbance) const;
  void improve(Member& member, std::int64_t index, std::int64_t updates, const std::vector<std::int64_t>& on) const;

  RewardEnsembleConfig config_;
  bool pictures_;
  std::vector<Member> members_;
  std::vector<ClipComparison> comparisons_;
  std::int64_t version_ = 0;
};

}  // namespace rlhf::control
