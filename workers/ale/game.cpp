// SPDX-License-Identifier: GPL-2.0-only
#include "game.h"

#include <zlib.h>

#include <algorithm>
#include <ale/common/ColourPalette.hpp>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace atari {
namespace {

/// Steele et al. 2014: a well-mixed function of (seed, which), so that an episode is a function of its seed.
std::uint64_t mixed(std::uint64_t seed, std::uint64_t which) {
  std::uint64_t z = seed + (which + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

void append(std::string& to, const void* bytes, std::size_t size) { to.append(static_cast<const char*>(bytes), size); }

/// Reads what `append` wrote.
class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  void read(void* to, std::size_t size) {
    if (at_ + size > bytes_.size()) throw std::runtime_error("these bytes are no state of it");
    std::memcpy(to, bytes_.data() + at_, size);
    at_ += size;
  }
  bool done() const { return at_ == bytes_.size(); }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

}  // namespace

Settings settings_from(const nlohmann::json& json) {
  return {.rom = json.at("rom"),
          .frame_skip = json.at("frame_skip"),
          .noop_max = json.at("noop_max"),
          .size = json.at("size"),
          .stack = json.at("stack"),
          .max_frames = json.at("max_frames"),
          .sticky = json.at("sticky"),
          .fire_reset = json.at("fire_reset"),
          .full_actions = json.at("full_actions"),
          .episodic_life = json.at("episodic_life"),
          .clip_reward = json.at("clip_reward"),
          .mask = json.at("mask").get<std::vector<int>>()};
}

Game::Game(const Settings& settings) : settings_(settings) {
  if (!ale::ALEInterface::isSupportedROM(settings.rom))
    throw std::runtime_error(settings.rom + " is no ROM that the Arcade Learning Environment knows");
  emulator_.setFloat("repeat_action_probability", settings.sticky);
  emulator_.setInt("max_num_frames_per_episode", settings.max_frames);
  emulator_.setInt("random_seed", 0);
  emulator_.loadROM(settings.rom);
  loaded_ = std::make_unique<ale::ALEState>(emulator_.cloneState(/*include_rng=*/true));
  const auto& screen_now = emulator_.getScreen();
  loaded_screen_.assign(screen_now.getArray(), screen_now.getArray() + screen_now.arraySize());
  buttons_ = settings.full_actions ? emulator_.getLegalActionSet() : emulator_.getMinimalActionSet();
  width_ = static_cast<int>(emulator_.getScreen().width());
  height_ = static_cast<int>(emulator_.getScreen().height());
  const auto pixels = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
  resize_ = std::make_unique<AreaResize>(height_, width_, settings.size);
  for (int colour = 0; colour < 256; ++colour)
    grey_.push_back(emulator_.theOSystem->colourPalette().getGrayscale(colour));
  masked_.assign(pixels, 0);
  for (std::size_t b = 0; b + 3 < settings.mask.size(); b += 4)
    for (int y = settings.mask[b + 1]; y < std::min(height_, settings.mask[b + 1] + settings.mask[b + 3]); ++y)
      for (int x = settings.mask[b]; x < std::min(width_, settings.mask[b] + settings.mask[b + 2]); ++x)
        masked_[static_cast<std::size_t>(y) * width_ + x] = 1;
  for (auto& screen : screens_) screen.assign(pixels, 0);
  stale_.assign(static_cast<std::size_t>(height_), 1);
  largest_.assign(pixels, 0);
  seen_.assign(static_cast<std::size_t>(settings.stack) * settings.size * settings.size, 0);
}

nlohmann::json Game::spec() {
  auto names = nlohmann::json::array();
  for (const auto button : buttons_) {
    auto name = ale::action_to_string(button).substr(std::strlen("PLAYER_A_"));
    std::replace(name.begin(), name.end(), '_', ' ');
    for (auto& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    names.push_back(name);
  }
  return {{"version", 1},
          {"observation",
           {{"dtype", "uint8"},
            {"shape", {settings_.stack, settings_.size, settings_.size}},
            {"low", {0}},
            {"high", {255}},
            {"stack", settings_.stack}}},
          {"action", {{"choices", names}}},
          {"max_steps", settings_.max_frames / settings_.frame_skip},
          {"step_seconds", settings_.frame_skip / 60.0},
          {"state", true},
          {"render", true}};
}

void Game::look(int which) {
  const auto width = static_cast<std::size_t>(width_);
  const std::uint8_t* line = emulator_.getScreen().getArray();
  std::uint8_t* kept = screens_[which].data();
  for (auto& stale : stale_) {
    if (std::memcmp(kept, line, width) != 0) {
      std::memcpy(kept, line, width);
      stale = 1;
    }
    line += width;
    kept += width;
  }
}

/// Most lines are as they were a step ago: what was made of those is still right.
void Game::see(bool fill) {
  // Pointers of our own: bytes that are written could be members for all the compiler knows.
  const std::uint8_t *const one_screen = screens_[0].data(), *const other = screens_[1].data(),
                     *const grey = grey_.data(), *const masked = masked_.data();
  std::uint8_t* const largest = largest_.data();
  for (std::size_t y = 0; y < stale_.size(); ++y)
    if (stale_[y])
      for (std::size_t i = y * width_, end = i + width_; i < end; ++i)
        largest[i] = masked[i] ? 0 : std::max(grey[one_screen[i]], grey[other[i]]);
  const auto one = static_cast<std::size_t>(settings_.size) * settings_.size;
  auto* newest = seen_.data() + seen_.size() - one;
  std::memmove(seen_.data(), seen_.data() + one, seen_.size() - one);  // the newest is still in its place
  (*resize_)(largest, stale_.data(), newest);
  std::fill(stale_.begin(), stale_.end(), 0);
  if (fill)
    for (auto* older = seen_.data(); older < newest; older += one) std::memcpy(older, newest, one);
}

/// The action for up to `frames` frames. The last two are looked at; where the game ends before,
/// what was looked at before stays.
double Game::act(ale::Action action, int frames) {
  double reward = 0;
  for (int frame = 0; frame < frames; ++frame) {
    reward += emulator_.act(action, 1.0f);
    if (emulator_.game_over()) break;
    if (frame == frames - 2) look(0);
    if (frame == frames - 1) look(frames == 1 ? 0 : 1);
  }
  return reward;
}

bool Game::press(std::size_t button) {
  act(buttons_[button], settings_.frame_skip);
  return !emulator_.game_over();
}

void Game::begin(std::uint64_t seed) {
  // All as it was when the game had been loaded, and chance from the seed, which so decides the episode. (Loading it again
  // would take as long as two hundred steps.)
  emulator_.restoreState(*loaded_);
  std::memcpy(emulator_.getScreen().getArray(), loaded_screen_.data(), loaded_screen_.size());
  emulator_.environment->getEnvironmentRNG().seed(static_cast<std::uint32_t>(mixed(seed, 0) & 0x7fffffff));
  const int noops = settings_.noop_max > 0 ? 1 + static_cast<int>(mixed(seed, 1) % settings_.noop_max) : 0;
  for (int i = 0; i < noops; ++i) {
    emulator_.act(ale::PLAYER_A_NOOP, 1.0f);
    if (emulator_.game_over()) emulator_.reset_game();
  }
  look(0);
  std::fill(screens_[1].begin(), screens_[1].end(), 0);
  std::fill(stale_.begin(), stale_.end(), 1);
  if (settings_.fire_reset && buttons_.size() >= 3 && buttons_[1] == ale::PLAYER_A_FIRE && !press(1))
    emulator_.reset_game();
  see(true);
  lives_ = emulator_.lives();
  running_ = true;
  game_goes_on_ = true;
}

void Game::next(std::uint64_t seed) {
  if (!game_goes_on_) return begin(seed);
  // A life was lost: a step without an action brings the game on, FIRE the new ball.
  if (!press(0)) return begin(seed);
  if (settings_.fire_reset && buttons_.size() >= 3 && buttons_[1] == ale::PLAYER_A_FIRE && !press(1)) return begin(seed);
  see(true);
  lives_ = emulator_.lives();
  running_ = true;
}

Game::Outcome Game::step(std::int64_t action) {
  if (action < 0 || action >= static_cast<std::int64_t>(buttons_.size())) throw std::runtime_error("no such action");
  double reward = act(buttons_[static_cast<std::size_t>(action)], settings_.frame_skip);
  see(false);
  if (settings_.clip_reward) reward = (reward > 0) - (reward < 0);
  Outcome outcome{.reward = reward};
  outcome.terminated = emulator_.game_over(/*with_truncation=*/false);
  outcome.truncated = !outcome.terminated && emulator_.game_truncated();
  game_goes_on_ = !outcome.terminated && !outcome.truncated;
  // Q*bert shows no lives for some frames after its last one: its end is the end of the game.
  const int lives = emulator_.lives();
  if (settings_.episodic_life && game_goes_on_ && lives < lives_ && lives > 0) outcome.terminated = true;
  lives_ = lives;
  running_ = !outcome.terminated && !outcome.truncated;
  return outcome;
}

std::string Game::state() {
  const auto emulator = emulator_.cloneState(/*include_rng=*/true).serialize();
  std::string all;
  const std::int64_t numbers[] = {static_cast<std::int64_t>(emulator.size()), lives_, running_, game_goes_on_};
  append(all, numbers, sizeof numbers);
  append(all, emulator.data(), emulator.size());
  const auto& screen = emulator_.getScreen();
  append(all, screen.getArray(), screen.arraySize());
  for (const auto* buffer : {&screens_[0], &screens_[1], &seen_}) append(all, buffer->data(), buffer->size());
  auto size = compressBound(all.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(all.data()), all.size(), 1);
  packed.resize(size);
  const std::uint64_t whole = all.size();
  return std::string(reinterpret_cast<const char*>(&whole), sizeof whole) + packed;
}

void Game::set_state(const std::string& bytes) {
  std::uint64_t whole = 0;
  Reader(bytes).read(&whole, sizeof whole);
  if (whole > 10'000'000) throw std::runtime_error("these bytes are no state of it");
  std::string all(whole, '\0');
  uLongf size = whole;
  if (uncompress(reinterpret_cast<Bytef*>(all.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()) + sizeof whole,
                 bytes.size() - sizeof whole) != Z_OK || size != whole)
    throw std::runtime_error("these bytes are no state of it");
  Reader from(all);
  std::int64_t numbers[4];
  from.read(numbers, sizeof numbers);
  if (numbers[0] < 0 || numbers[0] > static_cast<std::int64_t>(whole)) throw std::runtime_error("no state of it");
  std::string emulator(static_cast<std::size_t>(numbers[0]), '\0');
  from.read(emulator.data(), emulator.size());
  std::vector<std::uint8_t> shown(masked_.size());
  for (auto* buffer : {&shown, &screens_[0], &screens_[1], &seen_}) from.read(buffer->data(), buffer->size());
  if (!from.done()) throw std::runtime_error("these bytes are no state of it");
  emulator_.restoreState(ale::ALEState(emulator));
  std::memcpy(emulator_.getScreen().getArray(), shown.data(), shown.size());
  std::fill(stale_.begin(), stale_.end(), 1);
  lives_ = static_cast<int>(numbers[1]);
  running_ = numbers[2] != 0;
  game_goes_on_ = numbers[3] != 0;
}

std::string Game::picture() {
  std::vector<unsigned char> colours;
  const auto& screen = emulator_.getScreen();
  emulator_.theOSystem->colourPalette().applyPaletteRGB(colours, screen.getArray(), screen.arraySize());
  for (std::size_t i = 0; i < masked_.size(); ++i)
    if (masked_[i]) std::memset(colours.data() + i * 3, 0, 3);
  return {colours.begin(), colours.end()};
}

}  // namespace atari
