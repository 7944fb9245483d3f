#pragma once
#include "rlhf/control/preferences.h"

namespace rlhf::recipes {

/// Leaves learnt_reward.json in the run's folder, which the report draws: how the final reward model judges clips from
/// all through training that nobody was asked about.
///
///   clips        [{"predicted", "earned"}]  sums over a clip's steps
///   calibration  evaluation/calibration.h: the agreement that its margins promise, and how often the truth agrees
void write_learnt_reward(const control::Preferences& preferences, Run& run);

}  // namespace rlhf::recipes
