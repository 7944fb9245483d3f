#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "rlhf/control/tabular.h"

namespace rlhf::recipes {

enum class Learner { q_learning, tamer, coach };

/// What a trainer's feedback says about an action.
enum class FeedbackKind {
  task,         // the environment's reward
  action,       // +1 if it is one of the best there are, else -1
  improvement,  // +1 if it is better than what the learner does there now, else -1
};

struct StudyConfig {
  std::int64_t columns = 8, rows = 5;
  std::int64_t episodes = 300, steps = 100;  // of an episode at most
  std::int64_t judged_episodes = 20;         // the last ones, whose greedy returns count
  double gamma = 0.99;
};

/// One learner taught by one kind of feedback: the mean greedy return of the last episodes, 1 = the best possible.
double taught(const control::TabularWorld& world, Learner learner, FeedbackKind kind, double rate, std::uint64_t seed,
              const StudyConfig& config);

}  // namespace rlhf::recipes
