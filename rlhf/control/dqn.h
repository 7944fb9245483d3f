#pragma once
#include "rlhf/algorithms/optimizer.h"
#include "rlhf/control/off_policy.h"
#include "rlhf/models/observation.h"

namespace rlhf::control {

/// Deep Q-learning (Mnih et al. 2015, Nature 518) with its usual additions. Defaults are Stable-Baselines3's but for
/// the buffer; CleanRL's for classic control: hidden 120, 84, learning_rate 2.5e-4, capacity 10000, start 10000, batch
/// 128, train_every 10, target_every 500, epsilon_share 0.5, huber false, max_grad_norm 0.
struct DqnConfig : OffPolicyConfig {
  models::NetworkConfig network{.activation = models::Activation::relu, .initial = models::Initial::uniform};
  double learning_rate = 1e-4;
  algorithms::AdamConfig adam{.max_grad_norm = 10};
  std::int64_t target_every = 10000;               // steps of the loop between copies to the target network
  double target_share = 1.0;                       // how far the target network is moved then
  double epsilon_start = 1.0, epsilon_end = 0.05;  // share of random actions
  double epsilon_share = 0.1;                      // of training, over which it falls in a straight line
  bool double_q = false;  // the online network picks the next action, the target network values it (arXiv:1509.06461)
  // Q = V + A - mean A (arXiv:1511.06581). Both are read off the last hidden layer; the paper gives each a layer of
  // its own and scales the gradient of what they share by 1 / sqrt(2).
  bool duelling = false;
  bool huber = true;      // false: squared error

  void fields(Fields& f);
  void validate() const;
};

/// A network whose outputs are the values of all choices; its target is a second one.
class QNetwork {
 public:
  /// Throws rlhf::Error (usage) for an environment whose actions are no choices.
  QNetwork(const environments::Spec& spec, const DqnConfig& config, std::uint64_t seed);

  /// Observations [rows, ...] -> [rows, choices].
  Tensor values(const Tensor& observations) const;
  models::NamedWeights weights() const { return network_->weights(); }
  const models::Network& network() const { return *network_; }
  std::int64_t choices() const { return choices_; }

 private:
  models::Encoder encoder_;
  std::int64_t choices_ = 0;
  bool duelling_;
  std::unique_ptr<models::Network> network_;
};

struct DqnLoss {
  Tensor loss;       // []
  Tensor errors;     // [rows] target less value, no gradient
  double value = 0;  // mean of the values of what was done
};

/// y = r + discount * Q'(s', argmax Q*(s', .)), Q* the target network, or the online one for double_q; loss = mean over
/// rows of weight * huber(Q(s, a) - y).
DqnLoss dqn_loss(const QNetwork& online, const QNetwork& target, const Transitions& batch, const DqnConfig& config);

/// What Q-learning of any kind has in common: a network, its target, the optimiser, and how it acts. The loss is the
/// caller's.
class QLearner {
 public:
  using Loss = std::function<DqnLoss(const QNetwork& online, const QNetwork& target, const Transitions& batch)>;
  QLearner(const environments::Spec& spec, const DqnConfig& config, Loss loss);

  /// One update; returns the rows' errors.
  Tensor learn(const Transitions& batch);
  void copy_to_target(double share = 1.0) { models::copy_weights(online_->network(), target_->network(), share); }
  /// What train() needs. `first_step` counts on where a resumed run was.
  OffPolicyAgent agent(std::int64_t first_step);

  const QNetwork& network() const { return *online_; }
  std::unique_ptr<QNetwork> take() { return std::move(online_); }

 private:
  double epsilon(double progress) const;
  void log(MetricRow& row);
  void save(State& state) const;
  void restore(const State& state);

  DqnConfig config_;
  Loss loss_;
  std::unique_ptr<QNetwork> online_, target_;
  algorithms::AdamW optimizer_;
  std::int64_t steps_ = 0;
  double loss_sum_ = 0, value_sum_ = 0, updates_ = 0;
};

/// The best choices, but a share `epsilon` of them at random.
Tensor mostly_best(const QNetwork& network, const Tensor& seen, double epsilon, Random& random);

/// Trains and returns the network. See train() in off_policy.h.
std::unique_ptr<QNetwork> train_dqn(environments::VectorEnvironment& environments, const DqnConfig& config,
                                    const OffPolicyHooks& hooks, Run& run);

}  // namespace rlhf::control
