// SPDX-License-Identifier: GPL-2.0-only
#pragma once
#include <ale/ale_interface.hpp>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "area.h"

namespace atari {

/// How a game is played and seen: what the worker is asked to make.
struct Settings {
  std::string rom;
  int frame_skip = 4, noop_max = 30, size = 84, stack = 4, max_frames = 108000;
  float sticky = 0;
  bool fire_reset = true, full_actions = false, episodic_life = false, clip_reward = false;
  std::vector<int> mask;  // left, top, width, height of each black box
};

/// Throws nlohmann::json::exception for what is missing or of another type.
Settings settings_from(const nlohmann::json& json);

/// One game: the emulator and the preprocessing of Mnih et al. 2015 as Gymnasium and Stable-Baselines3 have it.
class Game {
 public:
  /// Throws std::runtime_error for a ROM that ALE does not know.
  explicit Game(const Settings& settings);

  nlohmann::json spec();

  struct Outcome {
    double reward = 0;
    bool terminated = false, truncated = false;
  };
  void begin(std::uint64_t seed);  // a new game
  void next(std::uint64_t seed);   // goes on with the game where only a life was lost
  Outcome step(std::int64_t action);

  bool running() const { return running_; }
  std::size_t seen_bytes() const { return seen_.size(); }
  const std::uint8_t* seen() const { return seen_.data(); }  // [stack, size, size]

  /// Emulator, its chance, and what is seen, compressed.
  std::string state();
  /// Throws std::runtime_error for bytes that are none.
  void set_state(const std::string& bytes);

  int width() const { return width_; }
  int height() const { return height_; }
  std::string picture();  // [height, width, 3]

 private:
  bool press(std::size_t button);      // for frame_skip frames; false where the game ended
  void look(int which);                // the screen into screens_[which]
  void see(bool fill);                 // the maximum of both screens, grey, masked and shrunk, as the newest of the stack
  double act(ale::Action action, int frames);

  Settings settings_;
  ale::ALEInterface emulator_;
  std::unique_ptr<ale::ALEState> loaded_;    // when the ROM had been loaded
  std::vector<std::uint8_t> loaded_screen_;  // colours
  ale::ActionVect buttons_;
  int width_ = 0, height_ = 0;
  std::unique_ptr<AreaResize> resize_;
  std::vector<std::uint8_t> grey_;       // of each colour
  std::vector<std::uint8_t> masked_;     // pixels under a box
  std::vector<std::uint8_t> screens_[2];  // colours, of an action's last frames
  std::vector<std::uint8_t> stale_;      // lines of them that are newer than largest_ and the newest of seen_
  std::vector<std::uint8_t> largest_;    // of both, grey
  std::vector<std::uint8_t> seen_;
  int lives_ = 0;
  bool running_ = false, game_goes_on_ = false;
};

}  // namespace atari
