#pragma once
#include "recipes/recursive_reward_modeling/conditions.h"
#include "rlhf/feedback/assistance_graph.h"

namespace rlhf::recipes {

/// How many levels of helpers stand between the person and the cells, and how often each of them errs.
struct Depth {
  int levels = 1;         // 1 points at cells, 2 counts faults in a segment, 3 adds the segments up
  double error = 0.0;     // of each level: points at a cell by lot, or is off by one
  std::int64_t members = 1;  // at each level; the middle answer of all counts
};

/// The evaluation of one output as a graph, from "which cells" up to what the person is told.
feedback::AssistanceGraph graph_of(int levels);

/// A person who is told what the topmost level says.
Condition depth_condition(const Depth& depth, const Subject& subject, const RecursiveConfig& config,
                          const Finder& finder);

/// Accuracy of the person at every depth and error rate, with one helper a level and with several:
/// "depth_<levels>_error_<percent>_<single|ensemble>".
std::optional<nlohmann::json> measure_depth(const Subject& subject, const RecursiveConfig& config, Run& part);

/// A_2 trained on a person at a depth: "truth".
std::optional<nlohmann::json> train_at_depth(const Subject& subject, const Depth& depth, const RecursiveConfig& config,
                                             Run& part);

}  // namespace rlhf::recipes
