#pragma once
#include <functional>
#include <span>
#include <unordered_map>

#include "rlhf/control/frames.h"
#include "rlhf/control/sum_tree.h"
#include "rlhf/core/checkpoint.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"
#include "rlhf/data/trajectory.h"
#include "rlhf/environments/vector.h"

namespace rlhf::control {

struct ReplayConfig {
  std::int64_t capacity = 100000;  // transitions kept, the newest
  std::int64_t steps = 1;          // n of n-step returns
  double gamma = 0.99;
  bool prioritised = false;          // Schaul et al. 2016 (arXiv:1511.05952), proportional
  double alpha = 0.6;                // how much priorities count, 0 = uniform
  double beta = 0.4;                 // how much of the bias is weighed out at the start ...
  double beta_end = 1.0;             // ... and at the end
  double epsilon = 1e-6;             // added to |error|, so that nothing is never drawn
  double demonstration_bonus = 0.0;  // added to |error| of steps that were demonstrated (Hester et al. 2018)
  bool first_steps = false;          // minibatches hold the windows' first steps alone, too

  void fields(Fields& f);
  void validate() const;
};

/// What came of acting for some steps.
struct Windows {
  Tensor rewards;            // [rows] float32, sum over the window of gamma^k r_k
  Tensor next_observations;  // [rows, ...] after the window
  Tensor discounts;          // [rows] float32, gamma^length; 0 where the episode terminated in it
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
  Tensor demonstrated = {};  // [rows] float32, 1 where somebody showed it; undefined without demonstrations
  Windows first = {};        // the windows' first steps alone, with ReplayConfig::first_steps
};

/// Steps whose rewards are asked for: [rows, ...] each.
struct AskedSteps {
  Tensor observations, actions, next_observations;
};

/// Where rewards come from instead of the environment. They are asked for when a minibatch is drawn, never stored with
/// the steps; the answer for a step is kept as long as `version` stays, so that each is computed once a version.
struct RewardSource {
  std::function<Tensor(const AskedSteps& steps)> reward;  // [rows] float32; empty: the environment's own
  std::function<std::int64_t()> version;                  // of the model behind it; empty: it never changes
};

/// The newest steps of all environments, and demonstrations, which stay. Every observation is kept once (of a
/// stack of pictures, each picture once), in the environment's dtype; windows end with their episode, whether it
/// terminated or was cut off, and only termination makes the future worth nothing.
class Replay {
 public:
  /// Throws rlhf::Error (usage) when no window fits.
  Replay(const environments::Spec& spec, std::int64_t environments, const ReplayConfig& config);

  /// What was seen, done and came of it, [envs, ...] each.
  void add(const Tensor& observations, const Tensor& actions, const environments::VectorStep& step);

  /// What somebody showed; never forgotten. Before anything else is added. Throws rlhf::Error (check) for a trajectory
  /// of another spec, which may have been seen through other eyes, and (usage) when it comes too late.
  void keep(std::span<const data::Trajectory> demonstrations);

  /// From now on; what an earlier source answered is forgotten.
  void set_reward(RewardSource source);

  std::int64_t size() const { return kept_ + size_ * environments_; }  // steps held
  bool ready(std::int64_t rows) const;                                 // could `rows` windows be drawn?

  /// `progress`: share of training behind, 0 .. 1, by which beta rises.
  Transitions sample(std::int64_t rows, Random& random, double progress = 0.0) const;

  /// Absolute errors of a minibatch's rows. Does nothing unless prioritised.
  void update_priorities(const Tensor& places, const Tensor& errors);

  void save(State& state, const std::string& prefix) const;
  void restore(const State& state, const std::string& prefix);

 private:
  // A place is a step: first those kept, then slot by slot those of all environments.
  struct Walk;
  enum End : std::uint8_t { goes_on, terminated, cut_off };  // what became of the episode with a step
  std::int64_t place_of(std::int64_t slot, std::int64_t env) const { return kept_ + slot * environments_ + env; }
  std::int64_t slot_of(std::int64_t age) const { return (head_ + age) % slots_; }                // age 0 is the oldest
  std::int64_t windows() const { return std::max<std::int64_t>(0, size_ - config_.steps + 1); }  // slots to begin in
  std::int64_t beginnings() const { return kept_ + windows() * environments_; }                  // places to begin in
  std::int64_t draw(Random& random) const;
  Walk walk(std::int64_t place, std::int64_t steps) const;
  std::int64_t before(std::int64_t place) const;
  void copy_seen(std::int64_t place, const Tensor& to, std::int64_t row) const;
  void cut_where_broken(const Tensor& observations);
  void copy_after(std::int64_t place, const Tensor& to, std::int64_t row) const;
  void make_rings(const Tensor& observation, const Tensor& action);
  void forget_answers();
  Tensor rewards_of(const std::vector<Walk>& walks) const;
  void ask_for(const std::vector<Walk>& walks) const;
  Transitions room_for(std::int64_t rows) const;
  void weigh(Transitions& batch, double progress) const;

  environments::Spec spec_;
  std::int64_t environments_, slots_;
  ReplayConfig config_;
  std::int64_t kept_ = 0;                            // demonstrated steps
  Frames observations_;                              // [places]
  Tensor actions_, rewards_;                         // [places, ...]
  Tensor ends_;                                      // [places] uint8, an End each
  Tensor current_;                                   // [envs, ...] what the newest step led to
  std::unordered_map<std::int64_t, Tensor> finals_;  // place of an episode's last step -> what was seen after it
  std::int64_t head_ = 0, size_ = 0;                 // oldest slot, slots in use
  RewardSource source_;
  mutable std::vector<float> answers_;          // [places] rewards that were asked for ...
  mutable std::vector<std::int64_t> versions_;  // ... and which version gave them; -1 for none
  SumTree priorities_;                          // [places], if prioritised; 0 where no window can begin
  double largest_ = 1.0;                        // that a new step gets
};

}  // namespace rlhf::control
