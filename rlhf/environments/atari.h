#pragma once
#include <filesystem>

#include "rlhf/environments/worker.h"

namespace rlhf::environments {

/// How an Atari game is played and seen. Defaults are those of Mnih et al. 2015 (Nature 518) with Gymnasium's and
/// Stable-Baselines3's details; Machado et al. 2018 (arXiv:1709.06009) ask for sticky = 0.25, full_actions = true,
/// episodic_life = false.
struct AtariConfig {
  std::string game = "pong";         // its ROM's name: pong, breakout, space_invaders
  std::int64_t frame_skip = 4;       // frames an action lasts; what is seen is the maximum of its last two
  double sticky = 0.0;               // chance in each frame that the action before goes on
  std::int64_t noop_max = 30;        // an episode begins with 1 .. so many frames in which nothing is done
  bool fire_reset = true;            // then FIRE is pressed, where the game has it
  bool full_actions = false;         // all 18 actions, not those of the game alone
  bool episodic_life = false;        // a life that is lost ends the episode, and the next one goes on with the game
  bool clip_reward = false;          // to its sign
  std::int64_t size = 84;            // of the grey picture seen, pixels a side
  std::int64_t stack = 4;            // pictures seen, the newest last
  std::int64_t max_frames = 108000;  // of a game, half an hour; then it is truncated; 0 = no limit
  std::vector<std::int64_t> mask;    // black boxes on the screen of 160 x 210: left, top, width, height of each
  bool mask_score = false;           // the games of the 2017 paper on preferences: black boxes over score and lives
  std::filesystem::path program;     // the worker; empty: where `make ale` puts it
  std::filesystem::path roms;        // folder of <game>.bin; empty: the same
  WorkerCare worker;

  void fields(Fields& f);
  void validate() const;
};

/// Atari games through the Arcade Learning Environment (Bellemare et al. 2013), played by a program of its own that is
/// GPL-2.0 and is built by `make ale` (workers/ale/).
///
///   observation  uint8 [stack, size, size]: grey by ALE's palette, the maximum of an action's last two frames, each
///                pixel the mean of the area that it covers; the first picture fills the stack of a new episode
///   action       the game's own buttons, or all 18
///   reward       the score's change over the action
///   terminated   at the end of the game (episodic_life: of a life); truncated after max_frames
///
/// With episodic_life an episode that follows a lost life begins where the game stands. reset() always begins a game.
WorkerProgram atari_program(const AtariConfig& config);

/// Boxes over score and lives of a game, as `mask` has them. Throws rlhf::Error (usage) for games that none are known
/// of.
std::vector<std::int64_t> score_boxes(const std::string& game);

}  // namespace rlhf::environments
