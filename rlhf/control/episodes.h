#pragma once
#include <deque>
#include <span>
#include <vector>

#include "rlhf/core/checkpoint.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/metrics.h"
#include "rlhf/environments/vector.h"
#include "rlhf/models/actor_critic.h"

namespace rlhf::control {

/// What finished episodes earned in the environment's own reward, whatever the learner was given.
class EpisodeLog {
 public:
  explicit EpisodeLog(std::int64_t environments, std::size_t kept = 100);

  void add(const environments::VectorStep& step);

  /// Of the newest finished episodes, at most `kept`; NaN while there is none.
  double mean_return() const;
  double mean_length() const;
  std::int64_t finished() const { return finished_; }
  /// rollout/episodes, and the means once there is one.
  void log(MetricRow& row) const;

  void save(State& state, const std::string& prefix) const;
  void restore(const State& state, const std::string& prefix);

 private:
  struct Episode {
    double total = 0.0;
    std::int64_t steps = 0;
  };
  std::size_t kept_;
  std::vector<Episode> running_;
  std::deque<Episode> last_;
  std::int64_t finished_ = 0;
};

/// Chooses actions for observations [rows, ...] as the environment gives them.
using Act = std::function<Tensor(const Tensor& observations)>;

/// The return of each of `episodes` episodes, the same number of each environment, so that short ones do not crowd out
/// long ones. Throws rlhf::Error (usage) unless the environments start anew in the same step and there is a whole
/// number of episodes for each. `ended` is told of every step in which one ended, for agents that remember.
std::vector<double> play(environments::VectorEnvironment& environments, const Act& act, std::int64_t episodes,
                         std::uint64_t seed,
                         const std::function<void(const environments::VectorStep& step)>& ended = {});

/// The likeliest action, within the bounds.
Act greedy(const models::ActorCritic& agent);

double mean(std::span<const double> values);

}  // namespace rlhf::control
