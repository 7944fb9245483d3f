#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/environments/environment.h"

namespace rlhf::environments {

/// Keys that have to be down together. Their names are those of browsers, letters small: "ArrowLeft", "a", "Shift+3".
using Chord = std::vector<std::string>;

/// One thing that can be done by keyboard, and the ways to it.
struct KeyAction {
  std::string label;  // for people: "push left", "number 1: -2"
  std::vector<Chord> chords;
};

/// What keys mean in an environment.
///
/// A Discrete action has the digit of its number (Shift and a digit from 10 to 19). One whose name is a direction
/// ("push left", "north", "upright", "torque +1") has the arrow and the letter of W A S D, several directions their
/// arrows together; any other a letter of its name. Of a Box the first nine numbers are pushed to their bounds (to -1
/// and 1 where there are none), the first by left and right, the second by down and up.
///
/// R, K, X, the space bar, - and + are left to the page.
class Keyboard {
 public:
  /// `idle` is what no key means: a choice by name or number; empty = the choice that does nothing, else the first one;
  /// of a Box always 0, or the bound next to it. `keys` gives keys another meaning, {"ArrowLeft": "push left", "j": 2},
  /// or for a Box {"j": [0.5, -1]}; null = none. Throws rlhf::Error (usage) for a choice or key that does not exist.
  explicit Keyboard(const Spec& spec, std::string_view idle = {}, const nlohmann::json& keys = nullptr);

  const std::vector<KeyAction>& actions() const { return actions_; }
  const Action& idle() const { return idle_; }
  bool knows(std::string_view key) const { return pushes_.contains(key); }

  /// What these keys mean, the one pressed last at the end: where they contradict each other, it counts.
  Action meaning(std::span<const std::string> down) const;

 private:
  /// What one key pushes: a button of choices, a number of a Box towards a value, or all of them.
  struct Push {
    std::string button;
    std::size_t number = 0;
    float value = 0.0F;
    std::vector<float> all;
  };

  void learn_choices(const Discrete& space, std::string_view idle, const Spec& spec);
  void learn_numbers(const Box& space);
  void give(const std::string& key, const nlohmann::json& meaning, const Spec& spec);
  const std::int64_t* choice_of(std::span<const std::string> down) const;

  std::vector<KeyAction> actions_;
  Action idle_;
  std::map<std::string, Push, std::less<>> pushes_;
  std::vector<std::pair<std::vector<std::string>, std::int64_t>> choices_;  // sorted buttons -> choice
};

/// An action for people: "push left", or its numbers.
std::string in_words(const Spec& spec, const Action& action);

}  // namespace rlhf::environments
