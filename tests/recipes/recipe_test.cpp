#include "recipes/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "recipes/ask_for_labels.h"
#include "recipes/start_model.h"
#include "rlhf/core/error.h"
#include "rlhf/core/fields.h"

namespace rlhf::recipes {
namespace {

TEST(RecipeTable, EveryPresetSetsOnlyWhatExists) {
  for (const auto& [name, recipe] : builtin_recipes()) {
    for (const auto& [preset, toml] : recipe.presets) {
      const auto job = recipe.make();
      Fields fields;
      job->fields(fields);
      EXPECT_NO_THROW(load_toml_text(fields, toml, name + "/" + preset));
    }
  }
}

TEST(RecipeTable, AnUnknownRecipeIsNamedWithTheKnownOnes) {
  const auto table = builtin_recipes();
  try {
    find_recipe(table, "fine_tuning");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::usage);
    EXPECT_THAT(error.what(), testing::HasSubstr("fine_tuning_from_preferences"));
  }
}

TEST(CheckResults, BoundsAndMissingResults) {
  const std::string expected = R"({"small": {"gain": {"min": 0.35}, "ratio": {"max": 2}, "absent": {"min": 0}}})";
  const auto checks = check_results(expected, "small", {{"gain", 0.4}, {"ratio", 2.5}});
  ASSERT_EQ(checks.size(), 3u);
  const auto passed = [&](const std::string& name) {
    return std::find_if(checks.begin(), checks.end(), [&](const Check& check) { return check.name == name; })->passed;
  };
  EXPECT_TRUE(passed("gain"));
  EXPECT_FALSE(passed("ratio"));
  EXPECT_FALSE(passed("absent"));
  EXPECT_TRUE(check_results(expected, "paper", {}).empty());
}

TEST(GeneratedStories, AreDeterministicAndVaried) {
  const auto stories = generated_stories(200, 3);
  EXPECT_EQ(stories, generated_stories(200, 3));
  EXPECT_NE(stories, generated_stories(200, 4));
  EXPECT_GT(std::set<std::string>(stories.begin(), stories.end()).size(), 195u);
}

class Asking : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("asking-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    for (const char* id : {"a", "b", "c"}) prompts_.push_back({.id = id, .text = id, .ids = {1}});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  SampleFn sampler() {
    return [this](std::span<const data::Prompt> prompts, std::int64_t num) {
      std::vector<data::Completion> completions;
      for (const auto& prompt : prompts) {
        for (int sample = 0; sample < num; ++sample) {
          completions.push_back({.prompt_id = prompt.id, .sample = sample, .ids = {sample + 2}, .text = prompt.id + std::to_string(sample)});
        }
      }
      sampled_ += static_cast<std::int64_t>(completions.size());
      return completions;
    };
  }

  std::filesystem::path folder_;
  std::vector<data::Prompt> prompts_;
  std::int64_t sampled_ = 0;
};

TEST_F(Asking, SpreadsQuestionsOverThePromptsAndRepeatsNothing) {
  auto store = feedback::Store::open(folder_ / "feedback.db");
  const AskOptions options{.origin = {.run = "r", .stage = "s"}, .questions = 7, .items = 4};
  EXPECT_TRUE(ask_for_labels(store, prompts_, sampler(), options));
  EXPECT_EQ(store.counts().questions, 7);
  const auto sampled = sampled_;
  EXPECT_TRUE(ask_for_labels(store, prompts_, sampler(), options));  // a resumed run asks again
  EXPECT_EQ(store.counts().questions, 7);
  EXPECT_EQ(sampled_, sampled);
}

TEST_F(Asking, FewerQuestionsThanPrompts) {
  auto store = feedback::Store::open(folder_ / "feedback.db");
  EXPECT_TRUE(ask_for_labels(store, prompts_, sampler(), {.origin = {.run = "r", .stage = "s"}, .questions = 2, .items = 4}));
  EXPECT_EQ(store.counts().questions, 2);
}

TEST_F(Asking, StopsWhenAsked) {
  auto store = feedback::Store::open(folder_ / "feedback.db");
  AskOptions options{.origin = {.run = "r", .stage = "s"}, .questions = 600, .items = 4};
  options.stop_requested = [] { return true; };
  EXPECT_FALSE(ask_for_labels(store, prompts_, sampler(), options));
  EXPECT_LT(store.counts().questions, 600);
}

}  // namespace
}  // namespace rlhf::recipes
