#include <fstream>

#include "rlhf/core/files.h"
#include "rlhf/data/trajectory_file.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::data {
namespace {

Trajectory episode(std::uint64_t seed) {
  return {.environment = "walk",
          .spec = "abc",
          .seed = seed,
          .observations = {std::vector<float>{0.1F}, std::vector<float>{0.2F}},
          .actions = {std::int64_t{1}},
          .rewards = {-1.0},
          .terminated = true};
}

std::vector<std::uint64_t> seeds_in(const std::filesystem::path& file) {
  std::vector<std::uint64_t> seeds;
  for (const auto& each : read_trajectories(file)) seeds.push_back(each.seed);
  return seeds;
}

using Seeds = std::vector<std::uint64_t>;

TEST(TrajectoryWriter, AddsToWhatIsThere) {
  const ScratchFolder scratch;
  const auto file = scratch / "shown.jsonl";
  write_trajectories(file, std::vector{episode(1)});
  {
    TrajectoryWriter writer(file);
    writer.add(episode(2));
    EXPECT_EQ(seeds_in(file), (Seeds{1, 2}));  // readable at once, while the writer lives
    writer.add(episode(3));
  }
  TrajectoryWriter(file).add(episode(4));
  EXPECT_EQ(seeds_in(file), (Seeds{1, 2, 3, 4}));
}

TEST(TrajectoryWriter, TakesTheLastOneBackOnce) {
  const ScratchFolder scratch;
  const auto file = scratch / "shown.jsonl";
  TrajectoryWriter writer(file);
  writer.take_back();  // there is none
  writer.add(episode(1));
  writer.add(episode(2));
  writer.take_back();
  EXPECT_EQ(seeds_in(file), (Seeds{1}));
  writer.take_back();  // only the last one can be taken back
  EXPECT_EQ(seeds_in(file), (Seeds{1}));
  writer.add(episode(3));
  EXPECT_EQ(seeds_in(file), (Seeds{1, 3}));
}

TEST(TrajectoryWriter, LeavesAloneWhatAnotherProgramWrote) {
  const ScratchFolder scratch;
  const auto file = scratch / "shown.jsonl";
  TrajectoryWriter writer(file);
  writer.add(episode(1));
  TrajectoryWriter(file).add(episode(2));
  const auto error = error_of([&] { writer.take_back(); });
  EXPECT_EQ(error.category(), Category::check);
  EXPECT_EQ(seeds_in(file), (Seeds{1, 2}));
}

TEST(TrajectoryWriter, EndsALineThatWasLeftOpen) {
  const ScratchFolder scratch;
  const auto file = scratch / "shown.jsonl";
  auto line = to_line(episode(1));
  line.pop_back();
  write_file_atomic(file, line);
  TrajectoryWriter(file).add(episode(2));
  EXPECT_EQ(seeds_in(file), (Seeds{1, 2}));
}

TEST(TrajectoryWriter, RefusesFilesOfAnotherKindAndChangesNothing) {
  const ScratchFolder scratch;
  const auto file = scratch / "notes.txt";
  for (const std::string text : {"dear diary", "{\"a\": 1}\n", "\x1f\x8b rest"}) {
    write_file_atomic(file, text);
    error_of([&] { TrajectoryWriter writer(file); });
    EXPECT_EQ(read_file(file), text);
  }
}

}  // namespace
}  // namespace rlhf::data
