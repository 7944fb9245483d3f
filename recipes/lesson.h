#pragma once
#include <functional>

#include "rlhf/algorithms/session.h"
#include "rlhf/core/files.h"
#include "rlhf/core/run.h"
#include "rlhf/environments/rollout.h"

namespace rlhf::recipes {

/// What a lesson's onlooker does.
struct Onlooker {
  std::int64_t every = 1;  // ticks between two looks
  /// Whatever there is to see; a row of the lesson's curve.jsonl.
  std::function<nlohmann::json(const algorithms::View& view)> look;
  /// At every tick, before the trainer sees it. Empty: nothing.
  std::function<void(const algorithms::View& view)> before = {};
};

/// Somebody teaches in a session and somebody else looks now and then how far the pupil is; neither notices the other.
/// The session stops when the run is asked to. Looks are written to <part>/curve.jsonl.
class Lesson final : public algorithms::Audience {
 public:
  /// All of these have to outlive it.
  Lesson(algorithms::Audience& trainer, Onlooker onlooker, Run& part);

  std::vector<algorithms::Request> requests() override;
  void acknowledge(std::int64_t id, algorithms::Outcome outcome, std::int64_t tick) override;
  void show(const algorithms::View& view, const environments::Environment& environment) override;

 private:
  algorithms::Audience& trainer_;
  Onlooker onlooker_;
  Run& part_;
  AppendFile curve_;
};

/// Films an episode of a policy, or its beginning, for the report's gallery: <part>/agent.png. Nothing where the
/// environment draws no pictures.
void film_agent(environments::Environment& environment, const environments::Policy& policy, std::uint64_t seed,
                const Run& part);

/// What a policy earns in so many episodes together; the i-th one's start is a function of (seed, i).
double earned_in(environments::Environment& environment, const environments::Policy& policy, std::int64_t episodes,
                 std::uint64_t seed);

}  // namespace rlhf::recipes
