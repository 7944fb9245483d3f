#pragma once
#include "rlhf/control/behaviour_cloning.h"

namespace rlhf::control {

/// DAgger (Ross, Gordon & Bagnell 2011, arXiv:1011.0686): the learner plays, an expert says what it would have done,
/// and the learner imitates everything that was said so far. Defaults are those of the `imitation` library.
struct DaggerConfig {
  std::int64_t rounds = 15;
  std::int64_t round_steps = 500;   // at least, in a round
  std::int64_t round_episodes = 3;  // at least, in a round
  double beta_rounds = 15;          // over which the share of steps that the expert plays itself falls from 1 to 0
  BcConfig cloning{.epochs = 4};    // passes of each round, over all that was said

  /// Of the steps of this round, how many the expert plays.
  double beta(std::int64_t round) const;
  void fields(Fields& f);
  void validate() const;
};

/// Trains the policy in place; goes on from the run's checkpoint to the same bits. The expert is asked in every state
/// that is played, and may be asked twice in the same one when a run is resumed. A run's step is a round.
void train(models::ActorCritic& agent, environments::Environment& environment, const environments::Policy& expert,
           const DaggerConfig& config, Run& run);

}  // namespace rlhf::control
