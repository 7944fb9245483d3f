#include "recipes/atari_preferences_demos/recordings.h"

#include <fmt/format.h>

#include "rlhf/control/demonstrations.h"
#include "rlhf/core/error.h"
#include "rlhf/data/trajectory_file.h"

namespace rlhf::recipes {
namespace {

/// Whether the round goes the same way again; then it has its states.
bool repeat(environments::KeyTreasure& world, data::Trajectory& round) {
  if (world.reset(round.seed).observation != round.observations.front()) return false;
  round.states = {world.state()};
  for (std::size_t t = 0; t < round.actions.size(); ++t) {
    if (world.step(round.actions[t]).observation != round.observations[t + 1]) return false;
    round.states.push_back(world.state());
  }
  return true;
}

}  // namespace

std::vector<data::Trajectory> recorded_rounds(const DemosRecipeConfig& config) {
  environments::KeyTreasure world(world_of(config, true));
  const auto one_round = environments::hash_of(environments::KeyTreasure(world_of(config, false)).spec());
  auto rounds = data::read_trajectories(config.recordings);
  if (rounds.empty())
    throw Error({.category = Category::usage,
                 .where = "recordings",
                 .what = fmt::format("{} holds no round", config.recordings.string()),
                 .fix = fmt::format("Play some: rlhf env play key_treasure --out {}", config.recordings.string())});
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    auto& round = rounds[i];
    if (round.spec == one_round) round.spec = environments::hash_of(world.spec());
    control::require_recorded_in(world.spec(), round);
    if (!repeat(world, round))
      throw Error({.category = Category::check,
                   .where = fmt::format("{}: round {}", config.recordings.string(), i + 1),
                   .what = "its actions, repeated from its seed, do not lead to what was seen",
                   .fix = "Record it with `rlhf env play` or `rlhf env record`, and leave the file as it is."});
    round.terminated = false;  // the next round follows
    round.truncated = true;
  }
  return rounds;
}

}  // namespace rlhf::recipes
