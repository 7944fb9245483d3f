#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace rlhf::data {

/// The numbers of one observation, row-major; the environment's space knows their shape.
using Array =
    std::variant<std::vector<std::uint8_t>, std::vector<std::int64_t>, std::vector<float>, std::vector<double>>;

/// What an agent does in one step: an index among named choices, or one number for each motor.
using Action = std::variant<std::int64_t, std::vector<float>>;

/// One episode, or as much of it as was played.
struct Trajectory {
  std::string environment;                // its name in the table of environments
  std::string spec;                       // hash of its spec: what may be compared and replayed
  std::uint64_t seed = 0;                 // of the reset
  std::int64_t policy_version = 0;        // which weights acted
  std::vector<Array> observations;        // [steps + 1], the last one after the last action
  std::vector<Action> actions;            // [steps]
  std::vector<double> rewards;            // [steps], the environment's own
  std::vector<double> predicted_rewards;  // [steps], a learnt model's; empty while there is none
  std::vector<std::string> states;        // [steps + 1], from which the environment can go on; empty where it cannot
  bool terminated = false;                // the last step ended the task itself: nothing follows
  bool truncated = false;                 // a time limit ended it: something would have followed
};

}  // namespace rlhf::data
