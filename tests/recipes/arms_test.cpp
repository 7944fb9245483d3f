#include "recipes/arms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "rlhf/core/error.h"

namespace rlhf::recipes {
namespace {

using testing::ElementsAre;

class Arms : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::optional<ArmsResult> study(const ArmRun& one, std::int64_t jobs, std::function<bool()> stop = {}) {
    rlhf::Run run({.folder = folder_, .resume = true, .stop_requested = std::move(stop), .quiet = true}, "", {{"algorithm", "study"}});
    const ArmsPlan plan{.arms = {"method", "control"}, .seeds = 3, .first_seed = 10, .jobs = jobs};
    return run_arms(plan, run, [](const auto&, auto) { return std::string(); }, one);
  }

  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "rlhf-arms";
};

std::optional<nlohmann::json> numbers(const std::string& arm, std::uint64_t seed, Run&) {
  return nlohmann::json{{"return", double(seed) + (arm == "method" ? 100 : 0)},
                        {"accuracy", arm == "method" ? nlohmann::json(0.5) : nlohmann::json(std::nan(""))}};
}

TEST_F(Arms, EverySeedOfEveryArmInItsPlace) {
  const auto result = study(numbers, 4);
  ASSERT_TRUE(result);
  EXPECT_THAT(result->values("method", "return"), ElementsAre(110, 111, 112));
  EXPECT_THAT(result->values("control", "return"), ElementsAre(10, 11, 12));
  EXPECT_TRUE(result->values("control", "accuracy").empty());
  nlohmann::json results;
  for (const char* number : {"return", "accuracy"}) result->add_to(results, number);
  EXPECT_EQ(results.at("method_return"), 111.0);
  EXPECT_EQ(results.at("control_return"), 11.0);
  EXPECT_LE(results.at("method_return_low"), 111.0);
  EXPECT_GE(results.at("method_return_high"), 111.0);
  EXPECT_EQ(results.at("method_accuracy"), 0.5);
  EXPECT_FALSE(results.contains("control_accuracy"));
  std::ifstream rows(folder_ / "arms.jsonl");
  int count = 0;
  for (std::string row; std::getline(rows, row); ++count) EXPECT_TRUE(nlohmann::json::parse(row).contains("seed")) << row;
  EXPECT_EQ(count, 6);
}

TEST_F(Arms, WhatNeedsOthersComesAfterThemAndAuditsAreGathered) {
  rlhf::Run run({.folder = folder_, .quiet = true}, "", {{"algorithm", "study"}});
  const ArmsPlan plan{.arms = {"frozen", "method"}, .seeds = 2, .first_seed = 10, .jobs = 2,
                      .afterwards = [](const std::string& arm) { return arm == "frozen"; }};
  const auto one = [&](const std::string& arm, std::uint64_t seed, rlhf::Run& part) -> std::optional<nlohmann::json> {
    if (arm == "method") part.write_file("model", std::to_string(seed));
    if (arm == "method") return nlohmann::json{{"return", 1}};
    std::ifstream model(arm_folder(run, "method", seed) / "model");
    std::uint64_t found = 0;
    model >> found;
    part.write_file("audit.jsonl", nlohmann::json{{"steps", 5}, {"predicted", 2}, {"earned", 0.5}}.dump() + "\n");
    return nlohmann::json{{"return", found}};
  };
  const auto result = run_arms(plan, run, [](const auto&, auto) { return std::string(); }, one);
  ASSERT_TRUE(result);
  EXPECT_THAT(result->values("frozen", "return"), ElementsAre(10, 11));
  gather_audits(plan, run);
  std::ifstream rows(folder_ / "audit.jsonl");
  std::vector<nlohmann::json> all;
  for (std::string row; std::getline(rows, row);) all.push_back(nlohmann::json::parse(row));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1], (nlohmann::json{{"arm", "frozen"}, {"seed", 11}, {"steps", 5}, {"predicted", 2}, {"earned", 0.5}}));
}

TEST_F(Arms, AnInterruptedStudyGoesOnWhereItWas) {
  std::atomic<int> begun = 0;
  const auto counted = [&](const std::string& arm, std::uint64_t seed, rlhf::Run& part) {
    ++begun;
    return numbers(arm, seed, part);
  };
  // Whoever asks is told to stop once two runs have begun; the second one is thrown away, for it may be cut short.
  EXPECT_FALSE(study(counted, 1, [&] { return begun >= 2; }));
  EXPECT_EQ(begun, 2);
  ASSERT_TRUE(study(counted, 1));
  EXPECT_EQ(begun, 7);
  ASSERT_TRUE(study(counted, 1));
  EXPECT_EQ(begun, 7) << "finished runs were run again";
}

TEST_F(Arms, AnErrorOfOneRunIsTheStudysAndTheOthersStop) {
  const auto failing = [](const std::string& arm, std::uint64_t seed, rlhf::Run& part) {
    if (seed == 11) throw Error({.category = Category::failure, .where = arm, .what = "broken", .fix = ""});
    return numbers(arm, seed, part);
  };
  EXPECT_THROW(study(failing, 2), Error);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "arms/method-10/results.json"));
}

}  // namespace
}  // namespace rlhf::recipes
