#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "rlhf/environments/keyboard.h"
#include "rlhf/environments/table.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

using Keys = std::vector<std::string>;

Spec choices(std::vector<std::string> names) { return {.name = "made_up", .action = Discrete{std::move(names)}}; }

Spec spec_of(const std::string& name) { return make_environment(builtin_environments(), name)->spec(); }

/// What the keys mean, in words.
std::string said(const Spec& spec, const Keys& down) { return in_words(spec, Keyboard(spec).meaning(down)); }

TEST(Keyboard, DirectionsHaveArrowsAndLetters) {
  const auto car = spec_of("mountain_car");
  EXPECT_EQ(said(car, {"ArrowLeft"}), "push left");
  EXPECT_EQ(said(car, {"d"}), "push right");
  EXPECT_EQ(said(car, {"1"}), "do nothing");
  EXPECT_EQ(said(car, {}), "do nothing");
  EXPECT_EQ(said(spec_of("frozen_lake"), {"ArrowDown"}), "down");
  EXPECT_EQ(said(spec_of("acrobot"), {"a"}), "torque -1");
  EXPECT_EQ(said(spec_of("acrobot"), {"ArrowRight"}), "torque +1");
  EXPECT_EQ(said(spec_of("acrobot"), {}), "no torque");
}

TEST(Keyboard, ANamedDirectionWinsOverANameThatEndsWithOne) {
  const auto taxi = spec_of("taxi");  // "north" and "pick up"
  EXPECT_EQ(said(taxi, {"ArrowUp"}), "north");
  EXPECT_EQ(said(taxi, {"ArrowLeft"}), "west");
  EXPECT_EQ(said(taxi, {"p"}), "pick up");
  EXPECT_EQ(said(taxi, {"5"}), "drop off");
  EXPECT_EQ(said(spec_of("mini_bowl"), {"ArrowUp"}), "aim up");
  EXPECT_EQ(said(spec_of("mini_bowl"), {"t"}), "throw");
}

TEST(Keyboard, TheKeyPressedLastCounts) {
  const auto car = spec_of("mountain_car");
  EXPECT_EQ(said(car, {"ArrowLeft", "ArrowRight"}), "push right");
  EXPECT_EQ(said(car, {"ArrowRight", "ArrowLeft"}), "push left");
  EXPECT_EQ(said(car, {"ArrowRight", "0"}), "push left");
  EXPECT_EQ(said(car, {"0", "ArrowRight"}), "push right");
  EXPECT_EQ(said(car, {"ArrowRight", "Tab"}), "push right");  // means nothing
}

TEST(Keyboard, SeveralButtonsTogether) {
  for (const auto& spec : {choices({"NOOP", "FIRE", "UP", "RIGHT", "UPRIGHT", "UPRIGHTFIRE"}),
                           choices({"noop", "fire", "up", "right", "up right", "up right fire"})}) {
    const auto at = [&](const Keys& down) { return std::get<std::int64_t>(Keyboard(spec).meaning(down)); };
    EXPECT_EQ(at({}), 0);
    EXPECT_EQ(at({"f"}), 1);
    EXPECT_EQ(at({"ArrowUp"}), 2);
    EXPECT_EQ(at({"ArrowUp", "ArrowRight"}), 4);
    EXPECT_EQ(at({"f", "ArrowRight", "ArrowUp"}), 5);
    EXPECT_EQ(at({"f", "ArrowUp"}), 2);          // there is no "up fire": the newest
    EXPECT_EQ(at({"ArrowUp", "ArrowDown"}), 2);  // nothing has down
  }
}

TEST(Keyboard, EveryChoiceHasAKeyAndNoKeyIsGivenTwice) {
  for (const auto& [name, kind] : builtin_environments()) {
    if (!kind()->needs().empty()) continue;
    const auto spec = kind()->make()->spec();
    const Keyboard keyboard(spec);
    std::set<Chord> seen;
    for (const auto& action : keyboard.actions()) {
      EXPECT_FALSE(action.chords.empty()) << name << ": " << action.label;
      for (const auto& chord : action.chords) {
        EXPECT_TRUE(seen.insert(chord).second) << name << ": " << chord[0] << " means two things";
        for (const auto& key : chord) {
          EXPECT_TRUE(keyboard.knows(key)) << name << ": " << key;
          for (const char* of_the_page : {" ", "Space", "r", "k", "x", "-", "+", "="})
            EXPECT_NE(key, of_the_page) << name;
        }
        if (std::holds_alternative<Discrete>(spec.action)) {
          EXPECT_EQ(in_words(spec, keyboard.meaning(chord)), action.label) << name;
        }
      }
    }
  }
}

TEST(Keyboard, BeyondTenChoicesShiftHelps) {
  std::vector<std::string> names;
  for (int i = 0; i < 18; ++i) names.push_back(std::to_string(i));
  const auto spec = choices(names);
  EXPECT_EQ(said(spec, {"9"}), "9");
  EXPECT_EQ(said(spec, {"Shift+7"}), "17");
  EXPECT_FALSE(Keyboard(spec).knows("Shift+8"));
  EXPECT_FALSE(Keyboard(spec).knows("ArrowLeft"));
}

TEST(Keyboard, NoKeyCanMeanAnotherChoice) {
  const auto pole = spec_of("cart_pole");
  EXPECT_EQ(in_words(pole, Keyboard(pole).idle()), "push left");  // nothing there does nothing
  EXPECT_EQ(in_words(pole, Keyboard(pole, "push right").meaning({})), "push right");
  EXPECT_EQ(in_words(pole, Keyboard(pole, "1").idle()), "push right");
  const auto error = error_of([&] { Keyboard(pole, "jump"); });
  EXPECT_EQ(error.where(), "idle");
  EXPECT_NE(error.problem().find("push left, push right"), std::string::npos);
  error_of([&] { Keyboard(spec_of("pendulum"), "0"); });
}

TEST(Keyboard, KeysCanBeGivenOtherMeanings) {
  const auto spec = choices({"0", "1"});  // as programs say it that give no names
  const Keyboard keyboard(spec, "", {{"ArrowLeft", 0}, {"d", "1"}, {"1", 0}});
  EXPECT_EQ(keyboard.meaning(Keys{"ArrowLeft"}), Action(std::int64_t{0}));
  EXPECT_EQ(keyboard.meaning(Keys{"ArrowLeft", "d"}), Action(std::int64_t{1}));
  EXPECT_EQ(keyboard.meaning(Keys{"1"}), Action(std::int64_t{0}));
  EXPECT_EQ(keyboard.actions()[1].chords, (std::vector<Chord>{{"d"}}));  // its digit means something else now
  const auto pendulum = spec_of("pendulum");
  const Keyboard gentle(pendulum, "", {{"j", {0.5}}});
  EXPECT_EQ(gentle.meaning(Keys{"j"}), Action(std::vector<float>{0.5}));
  EXPECT_EQ(gentle.meaning(Keys{"j", "d"}), Action(std::vector<float>{2}));
}

TEST(Keyboard, SaysWhichKeyIsWrong) {
  const auto car = spec_of("mountain_car"), pendulum = spec_of("pendulum");
  for (const char* key : {"r", "x", "k", "-", " ", "A", "F5", "", "Shift+a", "Control"}) {
    const auto error = error_of([&] { Keyboard(car, "", {{key, 0}}); });
    EXPECT_EQ(error.where(), "keys") << key;
    EXPECT_NE(error.fix().find("ArrowLeft"), std::string::npos) << key;
  }
  const std::vector<nlohmann::json> wrong = {{{"j", "fly"}}, {{"j", 3}}, {{"j", {1}}}, "j", 5};
  for (const auto& keys : wrong) EXPECT_EQ(error_of([&] { Keyboard(car, "", keys); }).where(), "keys") << keys;
  for (const nlohmann::json& meaning : {nlohmann::json(0.5), nlohmann::json{0.5, 1}, nlohmann::json{"a"}})
    EXPECT_EQ(error_of([&] { Keyboard(pendulum, "", {{"j", meaning}}); }).where(), "keys") << meaning;
}

TEST(Keyboard, NumbersArePushedToTheirBounds) {
  const Spec spec{.name = "arm", .action = Box{.shape = {3}, .low = {-2, -HUGE_VAL, 0.5}, .high = {3, HUGE_VAL, 1}}};
  const Keyboard keyboard(spec);
  const auto numbers = [&](const Keys& down) { return std::get<std::vector<float>>(keyboard.meaning(down)); };
  EXPECT_EQ(numbers({}), (std::vector<float>{0, 0, 0.5}));  // the bound next to 0
  EXPECT_EQ(numbers({"ArrowLeft"}), (std::vector<float>{-2, 0, 0.5}));
  EXPECT_EQ(numbers({"d", "ArrowUp", "e"}), (std::vector<float>{3, 1, 1}));
  EXPECT_EQ(numbers({"ArrowLeft", "d", "s"}), (std::vector<float>{3, -1, 0.5}));
  EXPECT_EQ(numbers({"n"}), numbers({}));
  EXPECT_EQ(in_words(spec, keyboard.meaning(Keys{"a"})), "-2, 0, 0.5");
}

}  // namespace
}  // namespace rlhf::environments
