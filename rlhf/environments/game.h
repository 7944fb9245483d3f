#pragma once
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/environments/environment.h"
#include "rlhf/environments/keyboard.h"

namespace rlhf::environments {

struct GameConfig {
  std::optional<double> rate;      // steps a second at speed 1; none = that of the world, 30 at most
  std::optional<bool> turns;       // a step when a key is pressed, instead of all the time; none = by the world
  double hold_seconds = 1.5;       // how long the end of an episode stays
  std::int64_t max_steps = 10000;  // an episode ends here, whatever the environment's own limit is
  std::string idle;                // what no key means: see Keyboard
  std::string keys;                // other meanings of keys, a JSON object: see Keyboard
  std::uint64_t seed = 1;          // of the episodes' starts

  void fields(Fields& f) {
    f.field("rate", rate, "steps a second at speed 1; none: as fast as the world that it models, 30 at most");
    f.field("turns", turns, "a step when a key is pressed; none: where a step lasts 0.25 s or more, or no known time");
    f.field("hold_seconds", hold_seconds, "how long the end of an episode stays on the screen");
    f.field("max_steps", max_steps, "an episode ends here, whatever the environment's own limit is");
    f.field("idle", idle, "what no key means, by name or number; none: doing nothing, or the first action");
    f.field("keys", keys, R"(other meanings of keys, as JSON: {"ArrowLeft": 0, "j": "push right"})");
    f.field("seed", seed, "of the episodes' starts");
  }
  void validate() const;
};

/// One person plays one environment by keyboard. Time comes in as an argument (seconds; only differences count), so
/// that a test can play an hour at once. All chance comes from the seed: equal keys at equal times give equal bits.
///
/// With turns, each press is a step. Without, an episode waits for its first press, then steps at the rate; a key that
/// went down and up between two steps counts for the next one. A step that comes late is late, and so are those after.
class Game {
 public:
  enum class Phase { ready, running, paused, over };

  /// An episode that is over: by itself, or (`cut`) because the person wanted another one.
  struct Ended {
    std::int64_t number = 0;
    data::Trajectory trajectory;
    bool cut = false;
  };

  /// The environment outlives the game. Throws rlhf::Error (usage) for settings that are wrong in it.
  Game(Environment& environment, const GameConfig& config);

  // What the person does. Keys that mean nothing here are ignored.
  void press(std::string_view key, double now);
  void release(std::string_view key);
  void release_all();               // the page lost the focus
  void pause(bool on, double now);  // nothing with turns, or when the episode is over
  void set_speed(double speed);     // 0.125 .. 4
  void restart();                   // another episode

  /// Does at most one thing that is due: a step, or the next episode. True when there is something new to see.
  bool advance(double now);
  /// When there will be something to do; none while it waits for the person.
  std::optional<double> due() const;

  /// Those that ended since the last call.
  std::vector<Ended> take_ended() { return std::exchange(ended_, {}); }

  Phase phase() const { return phase_; }
  bool turns() const { return turns_; }
  double rate() const { return rate_; }
  double speed() const { return speed_; }
  const Keyboard& keyboard() const { return keyboard_; }
  const Environment& environment() const { return environment_; }

  std::int64_t episode() const { return episode_; }  // from 1
  std::int64_t step() const { return std::ssize(now_.actions); }
  double episode_return() const;
  const Action* last_action() const { return now_.actions.empty() ? nullptr : &now_.actions.back(); }

 private:
  struct Down {
    std::string key;
    bool fresh = true;  // pressed since the last step
    bool released = false;
  };

  void begin();
  void act(const Action& action, double now);
  void finish(bool cut);
  Action held() const;

  Environment& environment_;
  const GameConfig config_;
  const Keyboard keyboard_;
  const bool turns_;
  const double rate_;
  double speed_ = 1.0;
  Phase phase_ = Phase::ready;
  double due_ = 0.0;  // of the next step, or of the next episode
  std::int64_t starts_ = 0, episode_ = 1;
  data::Trajectory now_;
  std::vector<Down> down_;     // in the order of the presses
  std::deque<Action> chosen_;  // with turns: what was pressed and not yet done
  std::vector<Ended> ended_;
};

/// "ready", "running", "paused", "over"
std::string_view name_of(Game::Phase phase);

}  // namespace rlhf::environments
