#include "rlhf/environments/atari.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <map>

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_out_of_range(const char* field, const char* fix) {
  throw Error({.category = Category::usage, .where = field, .what = "out of range", .fix = fix});
}

/// Where tools/setup_ale puts program and ROMs.
fs::path ale_folder() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && *cache) return fs::path(cache) / "rlhf.cpp/ale";
  return fs::path(home ? home : "") / ".cache/rlhf.cpp/ale";
}

void require_there(const fs::path& path, const char* what) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return;
  throw Error({.category = Category::usage,
               .where = "environment atari",
               .what = fmt::format("there is no {} {}", what, path.string()),
               .fix = "Run `make ale`: it says under which licences, fetches the Arcade Learning Environment and builds "
                      "the worker."});
}

// Measured on the screens of ALE 0.12.1; left, top, width, height.
const std::map<std::string, std::vector<std::int64_t>>& known_boxes() {
  static const std::map<std::string, std::vector<std::int64_t>> boxes = {
      {"beam_rider", {0, 0, 160, 30, 0, 182, 160, 28}},
      {"breakout", {0, 0, 160, 17}},
      {"enduro", {48, 160, 64, 32}},
      {"pong", {0, 0, 160, 24}},
      {"qbert", {0, 0, 160, 28}},
      {"seaquest", {0, 0, 160, 31}},
      {"space_invaders", {0, 0, 160, 20}}};
  return boxes;
}

}  // namespace

std::vector<std::int64_t> score_boxes(const std::string& game) {
  if (const auto found = known_boxes().find(game); found != known_boxes().end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, boxes] : known_boxes()) names.push_back(name);
  throw Error({.category = Category::usage,
               .where = "mask_score",
               .what = "where " + game + " shows its score is not known",
               .fix = fmt::format("Give the boxes with `mask`; known are {}.", fmt::join(names, ", "))});
}

void AtariConfig::fields(Fields& f) {
  f.field("game", game, "its ROM's name: pong, breakout, space_invaders");
  f.field("frame_skip", frame_skip, "frames that an action lasts");
  f.field("sticky", sticky, "chance in each frame that the action before goes on; 0.25 in Machado et al. 2018");
  f.field("noop_max", noop_max, "an episode begins with 1 .. so many frames without an action; 0 = none");
  f.field("fire_reset", fire_reset, "press FIRE at the start, where the game has it");
  f.field("full_actions", full_actions, "all 18 actions, not those of the game alone");
  f.field("episodic_life", episodic_life, "a lost life ends the episode; for training");
  f.field("clip_reward", clip_reward, "rewards are -1, 0 or 1; for training");
  f.field("size", size, "pixels a side of the grey picture that is seen");
  f.field("stack", stack, "pictures that are seen together");
  f.field("max_frames", max_frames, "of a game, then it is truncated; 0 = no limit");
  f.field("mask", mask, "black boxes on the screen of 160 x 210: left, top, width, height of each");
  f.field("mask_score", mask_score, "black boxes over score and lives, for games where they are known");
  f.field("program", program, "the worker; empty: where `make ale` puts it");
  f.field("roms", roms, "folder of <game>.bin; empty: where `make ale` puts them");
  f.group("worker", worker, "care for the processes");
}

void AtariConfig::validate() const {
  if (game.empty() || game.find('/') != std::string::npos) throw_out_of_range("game", "Give a ROM's name: pong.");
  if (frame_skip < 1 || frame_skip > 60) throw_out_of_range("frame_skip", "Give 1 to 60.");
  if (sticky < 0 || sticky >= 1) throw_out_of_range("sticky", "Give a chance from 0 to below 1.");
  if (noop_max < 0) throw_out_of_range("noop_max", "Give 0 or more.");
  if (size < 36 || size > 160) throw_out_of_range("size", "Give 36 to 160.");
  if (stack < 1 || stack > 16) throw_out_of_range("stack", "Give 1 to 16.");
  if (max_frames < 0) throw_out_of_range("max_frames", "Give 0 or more.");
  if (mask.size() % 4 != 0) throw_out_of_range("mask", "Give four numbers for each box: left, top, width, height.");
  for (const auto number : mask)
    if (number < 0 || number > 250) throw_out_of_range("mask", "Give boxes within the screen of 160 x 210.");
}

WorkerProgram atari_program(const AtariConfig& config) {
  config.validate();
  auto boxes = config.mask;
  if (config.mask_score) {
    const auto score = score_boxes(config.game);
    boxes.insert(boxes.end(), score.begin(), score.end());
  }
  auto settings = nlohmann::json{{"game", config.game},
                                 {"frame_skip", config.frame_skip},
                                 {"sticky", config.sticky},
                                 {"noop_max", config.noop_max},
                                 {"fire_reset", config.fire_reset},
                                 {"full_actions", config.full_actions},
                                 {"episodic_life", config.episodic_life},
                                 {"clip_reward", config.clip_reward},
                                 {"size", config.size},
                                 {"stack", config.stack},
                                 {"max_frames", config.max_frames},
                                 {"mask", config.mask},
                                 {"mask_score", config.mask_score}};
  const auto program = config.program.empty() ? ale_folder() / "rlhf-atari-worker" : config.program;
  const auto rom = (config.roms.empty() ? ale_folder() / "roms" : config.roms) / (config.game + ".bin");
  require_there(program, "program");
  require_there(rom, "ROM");
  auto request = settings;
  request["mask"] = boxes;
  request["rom"] = rom.string();
  if (!config.program.empty()) settings["program"] = config.program.string();
  if (!config.roms.empty()) settings["roms"] = config.roms.string();
  return {.name = "atari", .command = {program.string()}, .request = request, .settings = settings};
}

}  // namespace rlhf::environments
