#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rlhf/data/trajectory.h"
#include "rlhf/environments/image.h"

namespace rlhf::environments {

using data::Action;
using data::Array;

/// The order is that of the alternatives of data::Array.
enum class Dtype { uint8, int64, float32, float64 };

/// 0 .. choices-1.
struct Discrete {
  std::vector<std::string> choices;  // what each one does, for people: "push left"
};

/// Numbers within bounds. `low` and `high` have one entry for each number, or one for all; they may be infinite.
struct Box {
  Dtype dtype = Dtype::float32;
  std::vector<std::int64_t> shape;
  std::vector<double> low, high;
  /// Its first side holds so many equal parts, the newest last, and a step moves them up by one: a replay buffer can
  /// then keep each part once.
  std::int64_t stack = 1;
};

using Space = std::variant<Discrete, Box>;

/// What an environment offers beyond stepping.
struct Capabilities {
  bool state = false;   // state() and set_state(): clips can be drawn later, from a few bytes
  bool render = false;  // render() without a screen
  bool text = false;    // text()
};

/// What an environment is. All that changes what an agent or a person meets is part of it.
struct Spec {
  std::string name;  // in the table of environments
  int version = 1;   // raised when its dynamics or its drawing change
  Space observation, action;
  std::int64_t max_steps = 0;  // then the episode is truncated; 0 = no limit
  double step_seconds = 0.0;   // how long one step lasts in the world that it models
  Capabilities can;
  nlohmann::json settings;  // what the user chose, all of it
  nlohmann::json manifest;  // which of its numbers an observation made of several arrays has from where; null for one
};

nlohmann::json to_json(const Spec& spec);

/// SHA-256 of the JSON: segments of equal hashes may be compared and drawn by one environment.
std::string hash_of(const Spec& spec);

struct Start {
  Array observation;
  nlohmann::json info;  // null where there is nothing to say
};

struct Step {
  Array observation;  // after the action; the final one where the episode ended
  double reward = 0.0;
  bool terminated = false;  // the task itself ended: nothing follows, so nothing is to be bootstrapped
  bool truncated = false;   // the time limit ended it: the value of what would have followed counts
  nlohmann::json info;
};

/// A world to act in. One object is used by one thread at a time; equal seeds and actions give equal bits.
///
/// Errors are rlhf::Error (usage): an unknown option, an action outside the space, a step after the end of an episode
/// or before the first reset, a capability that the spec does not declare.
class Environment {
 public:
  virtual ~Environment() = default;

  virtual const Spec& spec() const = 0;

  /// Starts an episode. `options` is an object whose keys the environment documents, or null.
  virtual Start reset(std::uint64_t seed, const nlohmann::json& options) = 0;
  Start reset(std::uint64_t seed) { return reset(seed, nullptr); }

  virtual Step step(const Action& action) = 0;

  /// What is seen now: what reset or step returned last, or what the state given to set_state looks like.
  virtual Array observation() const;

  /// All that decides the future and the picture, as bytes for set_state of an environment with the same spec.
  virtual std::string state() const;
  virtual void set_state(std::string_view bytes);

  /// The present state as people see it, in any size.
  virtual Image render(int width, int height) const;

  /// The present state in letters, lines ending in a newline.
  virtual std::string text() const;
};

/// The index that a Discrete action holds. Throws rlhf::Error naming the environment and what it offers.
std::int64_t checked_choice(const Spec& spec, const Action& action);

/// The numbers that a Box action holds, as many as its shape has. They may lie outside the bounds: what then happens is
/// the environment's rule. Throws rlhf::Error for another kind or count, and for what is no number.
const float* checked_numbers(const Spec& spec, const Action& action);

/// Throws rlhf::Error (usage) for a key of `options` that is not in `known`.
void check_options(const Spec& spec, const nlohmann::json& options, const std::vector<std::string>& known);

/// Throws rlhf::Error (usage): the episode is over, or none was started.
[[noreturn]] void throw_not_running(const Spec& spec);

}  // namespace rlhf::environments
