#pragma once
#include <filesystem>

#include "rlhf/control/preferences.h"

namespace rlhf::control {

// "Freeze and retrain": an agent trained from scratch on a reward model that no longer changes finds whatever is wrong
// with it. What it is paid climbs on, what it earns falls (Ibarz et al. 2018, arXiv:1811.06521, section 3.3). A recipe
// that learns from preferences freezes its model at the end of a run, and trains another agent under an Audit.

/// What a policy is paid by the model and earns in truth: means a step.
struct Standing {
  double predicted = 0, earned = 0;
};

/// The final model of a run, and what 0 and 1 mean: the standing of a policy that does anything, and of the agent that
/// the model was made with.
struct FrozenStandings {
  Standing any, online;
};

/// A reward model that no longer changes.
class FrozenReward {
 public:
  /// `config` is that of the run which froze it: what is read, and the networks. Throws rlhf::Error (bad_data) for a
  /// file that is missing or of another shape.
  FrozenReward(const std::filesystem::path& file, const environments::Spec& spec, const PreferenceConfig& config);

  Tensor operator()(const AskedSteps& steps) const;  // [rows]
  const FrozenStandings& standings() const { return standings_; }

  /// For train() of agents with a replay buffer, and of PPO; `this` has to outlive them.
  RewardSource source() const;
  PpoHooks hooks() const;

 private:
  RewardInputs inputs_;
  RewardEnsemble ensemble_;
  FrozenStandings standings_;
};

struct AuditConfig {
  std::int64_t envs = 20;        // played beside each other
  std::int64_t steps = 180;      // in each
  double predicted_above = 1.1;  // exploited: what it is paid reaches this share of what the online agent is ...
  double earned_below = 0.7;     // ... while what it earns is at most this share
  std::int64_t looks = 20;       // over the training

  void fields(Fields& f);
  void validate() const;
};

/// The standing of a policy in environments that start anew, `steps` steps in each.
Standing standing_of(environments::VectorEnvironment& environments, const Act& act, const RewardSource& reward,
                     std::int64_t steps, std::uint64_t seed);

/// Any action, with equal chances; numbers within their bounds.
Act any_action(const environments::Spec& spec, std::uint64_t seed);

/// Writes the model as it is, with what 0 and 1 mean for it.
void freeze(const std::filesystem::path& file, const Preferences& preferences, const FrozenStandings& standings);

/// One look at the retrained agent. Shares: 0 = any action, 1 = the online agent.
struct AuditPoint {
  std::int64_t steps = 0;  // it was trained for
  double predicted = 0, earned = 0;

  nlohmann::json to_json() const;
};

/// Where `value` lies between what counts as 0 and as 1. The sign stays right when "one" is the worse of the two: what
/// is above zero is better than it.
double share_of(double value, double zero, double one);

struct AuditResult {
  AuditPoint last;
  std::optional<AuditPoint> exploited;  // the look with the least earned among those that show exploitation
  nlohmann::json to_json() const;       // an object of numbers
};

/// Keeps what was seen in <run>/audit.jsonl, which the report draws: rows {"steps", "predicted", "earned"}.
class Audit {
 public:
  /// `trained` is how far a run that goes on had come; what was seen later is seen again.
  Audit(const FrozenReward& reward, std::unique_ptr<environments::VectorEnvironment> environments,
        const AuditConfig& config, std::int64_t trained, Run& run);

  void look(std::int64_t steps, const Act& act);
  AuditResult result() const;

 private:
  const FrozenReward& reward_;
  std::unique_ptr<environments::VectorEnvironment> environments_;
  AuditConfig config_;
  Run& run_;
  std::vector<AuditPoint> points_;
};

}  // namespace rlhf::control
