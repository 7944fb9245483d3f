#include "recipes/atari_preferences_demos/recordings.h"

#include <gtest/gtest.h>

#include "rlhf/core/files.h"
#include "rlhf/data/trajectory_file.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::recipes {
namespace {

/// A round that anybody could have recorded.
data::Trajectory played(const environments::KeyTreasureConfig& settings, std::uint64_t seed) {
  environments::KeyTreasure world(settings);
  return environments::roll_out(world, environments::random_choice(world.spec()), seed, {.max_steps = 30});
}

TEST(DemosRecordings, RoundsOfAPersonAreShown) {
  const ScratchFolder scratch;
  DemosRecipeConfig config;
  config.recordings = scratch / "shown.jsonl";
  const auto endless = played(world_of(config, true), 3), alone = played(world_of(config, false), 4);
  data::write_trajectories(config.recordings, std::vector{endless, alone});
  const auto rounds = recorded_rounds(config);
  ASSERT_EQ(rounds.size(), 2U);
  EXPECT_EQ(rounds[0].states, endless.states);  // the file has none
  EXPECT_EQ(rounds[1].observations, alone.observations);
  EXPECT_EQ(rounds[1].spec, endless.spec);
  for (const auto& round : rounds) EXPECT_TRUE(round.truncated && !round.terminated);
}

TEST(DemosRecordings, OtherSettingsAreRefused) {
  const ScratchFolder scratch;
  DemosRecipeConfig config;
  config.recordings = scratch / "shown.jsonl";
  auto other = world_of(config, true);
  other.steps = 40;
  data::write_trajectories(config.recordings, std::vector{played(other, 3)});
  EXPECT_EQ(error_of([&] { recorded_rounds(config); }).category(), Category::check);

  auto edited = played(world_of(config, true), 3);
  edited.seed = 5;
  data::write_trajectories(config.recordings, std::vector{edited});
  EXPECT_NE(error_of([&] { recorded_rounds(config); }).problem().find("repeated from its seed"), std::string::npos);

  write_file_atomic(config.recordings, "");
  EXPECT_NE(error_of([&] { recorded_rounds(config); }).fix().find("rlhf env play key_treasure --out"),
            std::string::npos);
}

}  // namespace
}  // namespace rlhf::recipes
