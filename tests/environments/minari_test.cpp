#include "rlhf/environments/minari.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "rlhf/core/files.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

const std::filesystem::path reference = RLHF_SOURCE_DIR "/tests/reference/environments";

TEST(Minari, ReadsWhatMinariWrote) {
  const auto dataset = read_minari(reference / "minari");
  std::ifstream file(reference / "minari.json");
  const auto expected = nlohmann::json::parse(file);
  EXPECT_EQ(dataset.id, "pendulum/random-v0");
  ASSERT_EQ(dataset.episodes.size(), expected.at("episodes").size());
  for (std::size_t i = 0; i < dataset.episodes.size(); ++i) {
    const auto& found = dataset.episodes[i];
    const auto& wanted = expected["episodes"][i];
    EXPECT_EQ(found.seed, wanted.at("seed"));
    ASSERT_EQ(found.actions.size(), 4u);
    EXPECT_EQ(found.rewards, wanted.at("rewards").get<std::vector<double>>());
    for (std::size_t t = 0; t <= 4; ++t)
      EXPECT_EQ(std::get<std::vector<float>>(found.observations[t]),
                wanted.at("observations")[t].get<std::vector<float>>());
    for (std::size_t t = 0; t < 4; ++t)
      EXPECT_EQ(std::get<std::vector<float>>(found.actions[t]), wanted.at("actions")[t].get<std::vector<float>>());
    EXPECT_FALSE(found.terminated);
    EXPECT_TRUE(found.truncated);
  }
  const auto& box = std::get<Box>(dataset.observation);
  EXPECT_THAT(box.high, testing::ElementsAre(1, 1, 8));
  EXPECT_EQ(box.dtype, Dtype::float32);
}

/// What was played comes back: numbers of every kind, choices and motors, infinite bounds.
TEST(Minari, WhatIsWrittenComesBack) {
  const ScratchFolder scratch;
  for (const char* name : {"cart_pole", "pendulum", "grid"}) {
    const auto world = make_environment(builtin_environments(), name);
    MinariDataset dataset{.id = std::string(name) + "/random-v0",
                          .observation = world->spec().observation,
                          .action = world->spec().action,
                          .episodes = {}};
    for (const std::uint64_t seed : {3, 4})
      dataset.episodes.push_back(roll_out(*world, random_choice(world->spec()), seed, {.max_steps = 30}));
    const auto folder = scratch.path() / name;
    write_minari(folder, dataset, "random");
    const auto back = read_minari(folder);
    ASSERT_EQ(back.episodes.size(), 2u) << name;
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(back.episodes[i].observations, dataset.episodes[i].observations) << name;
      EXPECT_EQ(back.episodes[i].actions, dataset.episodes[i].actions) << name;
      EXPECT_EQ(back.episodes[i].rewards, dataset.episodes[i].rewards) << name;
      EXPECT_EQ(back.episodes[i].terminated, dataset.episodes[i].terminated) << name;
      EXPECT_EQ(back.episodes[i].truncated, dataset.episodes[i].truncated) << name;
      EXPECT_EQ(back.episodes[i].seed, dataset.episodes[i].seed) << name;
    }
    EXPECT_EQ(space_to_minari(back.observation), space_to_minari(dataset.observation)) << name;
    EXPECT_EQ(error_of([&] { write_minari(folder, dataset, "random"); }).category(), Category::usage);
  }
}

TEST(Minari, InfiniteBoundsAreWrittenAsPythonReadsThem) {
  const Box box{.dtype = Dtype::float64, .shape = {2, 1}, .low = {-INFINITY, 0}, .high = {INFINITY, 1}};
  const auto text = space_to_minari(box);
  EXPECT_THAT(text, testing::HasSubstr("[[-Infinity],[0.0]]"));
  const auto back = std::get<Box>(space_from_minari(text, "test"));
  EXPECT_EQ(back.low, box.low);
  EXPECT_EQ(back.high, box.high);
  EXPECT_EQ(back.shape, box.shape);
}

TEST(Minari, SaysWhatItCannotRead) {
  const ScratchFolder scratch;
  const auto wrong = [&](const std::string& metadata) {
    write_file_atomic(scratch.path() / "metadata.json", metadata);
    return std::string(error_of([&] { read_minari(scratch.path()); }).what());
  };
  EXPECT_THAT(std::string(error_of([&] { read_minari(scratch.path()); }).what()),
              testing::HasSubstr("no metadata.json"));
  EXPECT_THAT(wrong("{"), testing::HasSubstr("no JSON"));
  EXPECT_THAT(wrong(R"({"data_format": "arrow"})"), testing::HasSubstr("HDF5"));
  EXPECT_THAT(wrong(R"({"data_format": "hdf5"})"), testing::HasSubstr("observation_space"));
  const std::string discrete = R"("{\"type\": \"Discrete\", \"n\": 2, \"start\": 0}")";
  EXPECT_THAT(wrong(R"({"observation_space": "{\"type\": \"Text\"}", "action_space": )" + discrete + "}"),
              testing::HasSubstr("'Text'"));
  EXPECT_THAT(wrong(R"({"observation_space": )" + discrete + R"(, "action_space": )" + discrete + "}"),
              testing::HasSubstr("no HDF5 file"));
}

}  // namespace
}  // namespace rlhf::environments
