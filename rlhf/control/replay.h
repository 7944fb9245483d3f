#pragma once
#include <functional>
#include <unordered_map>

#include "rlhf/core/checkpoint.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/vector.h"

namespace rlhf::control {

struct ReplayConfig {
  std::int64_t capacity = 100000;  // transitions kept, the newest
  std::int64_t steps = 1;          // n of n-step returns
  double gamma = 0.99;
  bool prioritised = false;  // Schaul et al. 2016 (arXiv:1511.05952), proportional
  double alpha = 0.6;        // how much priorities count, 0 = uniform
  double beta = 0.4;         // how much of the bias is weighed out at the start; it rises to 1
  double epsilon = 1e-6;     // added to |error|, so that nothing is never drawn

  void fields(Fields& f);
  void validate() const;
};

/// A minibatch.
struct Transitions {
  Tensor observations;       // [rows, ...] as the environment gave them
  Tensor actions;            // [rows] or [rows, numbers]
  Tensor rewards;            // [rows] float32, sum over the window of gamma^k r_k
  Tensor next_observations;  // [rows, ...] after the window
  Tensor discounts;          // [rows] float32, gamma^length; 0 where the episode terminated in it
  Tensor weights;            // [rows] float32, importance weights over their maximum; ones unless prioritised
  Tensor places;             // [rows] int64, for update_priorities
};

/// The newest steps of all environments. Every observation is kept once, in the environment's dtype; windows end with
/// their episode, whether it terminated or was cut off, and only termination makes the future worth nothing.
class Replay {
 public:
  /// Throws rlhf::Error (usage) when no window fits.
  Replay(const environments::Spec& spec, std::int64_t environments, const ReplayConfig& config);

  /// What was seen, done and came of it, [envs, ...] each.
  void add(const Tensor& observations, const Tensor& actions, const environments::VectorStep& step);

  /// Rewards of steps [rows], asked for whenever a minibatch is drawn: a reward model that has changed changes all that
  /// is remembered. From observations [rows, ...] and actions [rows, ...]; the stored ones are used without it.
  using RewardOf = std::function<Tensor(const Tensor& observations, const Tensor& actions)>;
  void set_reward(RewardOf reward) { reward_ = std::move(reward); }

  std::int64_t size() const { return size_ * environments_; }  // steps held
  bool ready(std::int64_t rows) const;                         // could `rows` windows be drawn?

  /// `progress`: share of training behind, 0 .. 1, by which beta rises.
  Transitions sample(std::int64_t rows, Random& random, double progress = 0.0) const;

  /// Absolute errors of a minibatch's rows. Does nothing unless prioritised.
  void update_priorities(const Tensor& places, const Tensor& errors);

  void save(State& state, const std::string& prefix) const;
  void restore(const State& state, const std::string& prefix);

 private:
  std::int64_t slot_of(std::int64_t age) const { return (head_ + age) % slots_; }                // age 0 is the oldest
  std::int64_t windows() const { return std::max<std::int64_t>(0, size_ - config_.steps + 1); }  // slots to begin in
  std::int64_t draw(Random& random) const;  // a place: slot * environments + env
  double priority(std::int64_t place) const { return tree_[static_cast<std::size_t>(leaves_ + place)]; }
  void set_priority(std::int64_t place, double value);

  environments::Spec spec_;
  std::int64_t environments_, slots_;
  ReplayConfig config_;
  Tensor observations_, actions_, rewards_;          // [slots, envs, ...]
  Tensor ends_;                                      // [slots, envs] uint8: 0 goes on, 1 terminated, 2 cut off
  Tensor current_;                                   // [envs, ...] what the newest step led to
  std::unordered_map<std::int64_t, Tensor> finals_;  // place of an episode's last step -> what was seen after it
  std::int64_t head_ = 0, size_ = 0;                 // oldest slot, slots in use
  RewardOf reward_;
  std::int64_t leaves_ = 0;   // of the sum tree; a power of two
  std::vector<double> tree_;  // [2 leaves]: node i sums 2i and 2i + 1
  double largest_ = 1.0;      // priority that a new step gets
};

}  // namespace rlhf::control
