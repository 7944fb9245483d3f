#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/data/trajectory.h"

namespace rlhf::data {

/// A piece of a trajectory that people judge. With the environment named it is complete: playing `actions` from
/// `start_state` gives the same observations and the same pictures again.
struct Segment {
  std::string environment;          // name in the table of environments
  std::string spec;                 // hash of its spec when this was recorded
  std::uint64_t seed = 0;           // of the episode it was taken from
  std::int64_t begin = 0;           // its first step within the episode
  std::int64_t length = 0;          // steps it lasts on the screen
  std::int64_t policy_version = 0;  // which weights acted
  std::string start_state;          // bytes for Environment::set_state
  std::vector<Action> actions;      // [steps], fewer than `length` where the episode ended within it
  std::vector<double> rewards;      // [steps], the environment's own: for oracles and reports, never for a learner
};

/// One JSON object, bytes in hexadecimal. Written, read and written again it is the same text.
nlohmann::json to_json(const Segment& segment);

/// Throws rlhf::Error (bad_data) naming what is missing; `where` stands for the record in the message.
Segment segment_from_json(const nlohmann::json& record, std::string_view where);

}  // namespace rlhf::data
