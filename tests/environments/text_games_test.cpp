// The text environments that settings can name: what is said, and what it is worth.
#include <gtest/gtest.h>

#include <algorithm>

#include "rlhf/environments/sentence.h"
#include "rlhf/environments/table.h"
#include "rlhf/environments/waiter.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

std::vector<std::string> words_of(const Environment& world) { return std::get<Discrete>(world.spec().action).choices; }

std::int64_t word(const Environment& world, const std::string& name) {
  const auto words = words_of(world);
  return std::find(words.begin(), words.end(), name) - words.begin();
}

/// Says what it is given, one word a step; the last step.
Step said(Environment& world, const std::vector<std::string>& words) {
  Step step;
  for (const auto& each : words) step = world.step(word(world, each));
  return step;
}

TEST(Sentence, CountsEachWordOnceAndWantsAnEnd) {
  TextEnvironment world(sentence({.prompts = {"the warm soup was"}, .max_tokens = 4}));
  world.reset(1);
  EXPECT_EQ(world.text(), "the warm soup was\n");
  const auto finished = said(world, {"rich", "rich", "cold", "."});
  EXPECT_TRUE(finished.terminated);
  EXPECT_EQ(finished.reward, 0);  // rich once, and cold
  world.reset(2);
  EXPECT_EQ(said(world, {"warm", "quick", "."}).reward, 1);  // warm is in the prompt
  world.reset(3);
  EXPECT_EQ(said(world, {"rich", "quick", "kind", "the"}).reward, 2);  // no end
  EXPECT_EQ(world.text(), "the warm soup was rich quick kind the\n");
}

TEST(Sentence, MayHaveAFixedLength) {
  TextEnvironment world(sentence({.end = "", .max_tokens = 3}));
  world.reset(1);
  EXPECT_FALSE(said(world, {".", "warm"}).terminated);
  EXPECT_EQ(said(world, {"kind"}).reward, 2);
}

TEST(Sentence, SaysWhatIsWrongWithItsWords) {
  const auto where = [](const SentenceConfig& config) { return error_of([&] { config.validate(); }).where(); };
  EXPECT_EQ(where({.words = {"a", "a"}}), "words");
  EXPECT_EQ(where({.words = {"two words"}}), "words");
  EXPECT_EQ(where({.prompts = {}}), "prompts");
  EXPECT_EQ(where({.prompts = {"the dessert was"}}), "prompts");
  EXPECT_EQ(where({.worth = {"dessert 1"}}), "worth");
  EXPECT_EQ(where({.worth = {"warm"}}), "worth");
  EXPECT_EQ(where({.worth = {"warm much"}}), "worth");
  EXPECT_EQ(where({.end = "!"}), "end");
  EXPECT_EQ(where({.max_tokens = 0}), "max_tokens");
}

/// The last word that the guest said.
std::string wish(const TextEnvironment& world) {
  const auto& said = world.said();
  return words_of(world)[static_cast<std::size_t>(said[said.size() - 2])];
}

struct Guest : testing::Test {
  TextEnvironment world{waiter({.forthcoming = 0, .question_cost = 0.25, .mistake_cost = 1, .patience = 5})};
  std::string size, dish;

  void SetUp() override {
    world.reset(3);
    EXPECT_EQ(world.text(), "hello .\n");
    EXPECT_FALSE(said(world, {"size", "."}).terminated);
    size = wish(world);
    said(world, {"water", "dish", "drink", "."});  // the first question counts
    dish = wish(world);
    EXPECT_EQ(world.text(), "hello .\nsize .\n" + size + " .\nwater dish drink .\n" + dish + " .\n");
  }
};

TEST_F(Guest, IsServedWhatHeSaid) {
  EXPECT_TRUE(size == "small" || size == "large");
  EXPECT_TRUE(dish == "soup" || dish == "salad" || dish == "pasta");
  const auto order = said(world, {dish, size, "."});
  EXPECT_TRUE(order.terminated);
  EXPECT_EQ(order.reward, 2 - 0.5);
}

TEST_F(Guest, DoesNotWantWhatHeNeverSaid) {
  EXPECT_EQ(said(world, {dish, size, "tea", "."}).reward, 2 - 1 - 0.5);  // he was not asked
}

TEST_F(Guest, DoesNotWantTwoOfAKind) {
  const auto other = size == "small" ? "large" : "small";
  EXPECT_EQ(said(world, {dish, size, other, "."}).reward, 1 - 1 - 0.5);
}

TEST_F(Guest, RepeatsHimselfUntilHisPatienceIsOver) {
  EXPECT_FALSE(said(world, {"dish", "."}).terminated);
  EXPECT_EQ(wish(world), dish);
  EXPECT_FALSE(said(world, {"hello", "hello", "hello", "size"}).terminated);  // a turn of full length
  EXPECT_EQ(wish(world), size);
  const auto last = said(world, {"drink", "."});
  EXPECT_TRUE(last.terminated);
  EXPECT_EQ(last.reward, -5 * 0.25);
}

/// Asks for what he has not heard, then orders it all: nobody earns more.
std::vector<std::string> next_turn(const TextEnvironment& world) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> slots = {
      {"size", {"small", "large"}}, {"dish", {"soup", "salad", "pasta"}}, {"drink", {"water", "tea", "wine"}}};
  const auto heard = world.text();
  std::vector<std::string> order;
  for (const auto& [question, values] : slots) {
    const auto known = std::find_if(values.begin(), values.end(),
                                    [&](const auto& value) { return heard.find(value) != std::string::npos; });
    if (known == values.end()) return {question, "."};
    order.push_back(*known);
  }
  order.push_back(".");
  return order;
}

TEST(Waiter, AnAttentiveOneEarnsWhatItSays) {
  TextEnvironment world(waiter({}));
  double sum = 0;
  constexpr int guests = 2000;
  for (int i = 0; i < guests; ++i) {
    world.reset(static_cast<std::uint64_t>(i));
    Step step;
    while (!step.terminated) step = said(world, next_turn(world));
    sum += step.reward;
  }
  EXPECT_NEAR(sum / guests, 3 - 0.1 * 3 * 0.7, 0.01);  // one standard error is 0.002
}

TEST(Waiter, TheTableMakesItAgainFromItsSpec) {
  const auto table = builtin_environments();
  const auto one = make_environment(table, "waiter", {{"patience", 2}});
  const auto again = make_environment(table, "waiter", one->spec().settings);
  EXPECT_EQ(hash_of(one->spec()), hash_of(again->spec()));
  EXPECT_EQ(one->spec().settings["patience"], 2);
  EXPECT_EQ(error_of([&] { make_environment(table, "waiter", {{"forthcoming", 2}}); }).category(), Category::usage);
}

}  // namespace
}  // namespace rlhf::environments
