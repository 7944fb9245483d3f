#pragma once
#include <string>

#include "recipes/periodic_evaluation.h"
#include "recipes/start_model.h"
#include "rlhf/algorithms/jobs.h"
#include "rlhf/algorithms/ppo.h"
#include "rlhf/algorithms/reward_training.h"
#include "rlhf/feedback/oracle.h"

namespace rlhf::recipes {

/// Who answers the questions.
enum class LabelerKind { simulated, human };

/// Labels: how many, on which policy, and by whom.
struct LabelsConfig {
  LabelerKind labeler = LabelerKind::simulated;
  std::string store;                // where people answer; empty = feedback.db in the run's folder
  bool wait = true;                 // online, people: false lets the policy go on with the reward model it has
  std::int64_t questions = 1200;    // best-of-N picks in all
  std::int64_t items = 4;           // completions a question shows
  double heldout = 0.1;             // share of the questions that tests the reward model instead of training it
  std::int64_t rounds = 1;          // 1 = offline, all on the start model; more = online, on the moving policy
  double first_round = 0.25;        // online: share of the labels collected before the policy moves
  feedback::OracleConfig oracle{.error_rate = 0.1};

  void fields(Fields& f);
};

enum class ValueTrunk { shared, separate };

struct FineTuningConfig {
  algorithms::ModelSettings start;     // model: also "stories", a tiny one trained here from nothing
  StoryModelConfig story;
  ValueTrunk value = ValueTrunk::shared;
  LabelsConfig labels;
  algorithms::RewardReading reading{.layers = {0, 2}, .pooling = algorithms::Pooling::completion_mean, .adapters = false};
  algorithms::RewardModelConfig reward;
  double reward_sign = 1;              // -1 is the paper's accident (section 4.4): the sign test refuses it
  algorithms::PpoConfig ppo;
  PeriodicEvaluationConfig evaluate;
  std::string prompts;                 // JSONL with `prompt` and `split` (train, heldout); empty = those of the recipe
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

}  // namespace rlhf::recipes
