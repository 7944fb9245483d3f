#pragma once
#include "recipes/arms.h"
#include "recipes/coach/trainers.h"
#include "rlhf/algorithms/deep_coach.h"
#include "rlhf/algorithms/frame_pretraining.h"
#include "rlhf/algorithms/tamer.h"

namespace rlhf::recipes {

/// An agent that sees pictures is taught to go to one landmark, and half way through its trainer wants the other.
struct ChangeOfMindConfig {
  std::vector<std::string> arms = {"deep_coach", "deep_tamer", "deep_tamer_recent"};
  std::int64_t seeds = 5;  // runs of each arm
  double minutes = 10.0;   // of teaching, the session's time
  double rate = 5.0;       // steps a second
  double recovered = 0.9;  // share of the starts from which it finds the landmark that is wanted now
  ReactionConfig trainer;
  algorithms::DeepCoachConfig deep_coach;
  algorithms::TamerConfig deep_tamer;
  std::int64_t recent = 150;  // samples that deep_tamer_recent keeps, those of about fifty presses
  algorithms::FramePretrainingConfig eyes;
  double exam_every = 2.0;  // session seconds between two looks at what it would do

  ChangeOfMindConfig();
  void fields(Fields& f);
  void validate() const;
};

/// Runs all arms; adds to `results`, under "change_<arm>_": "first" (share of the starts from which it found the first
/// landmark when the trainer changed their mind), "presses" (from then until it first was `recovered`; all there were
/// if never), "recovered" (share of runs in which it was), "second" (share of starts at the end), and
/// "change_<arm>_ratio": its presses over Deep COACH's. False when the run was asked to stop.
bool run_change_of_mind(const ChangeOfMindConfig& config, std::int64_t jobs, std::uint64_t seed, Run& run,
                        nlohmann::json& results);

}  // namespace rlhf::recipes
