#include "rlhf/data/segment.h"

#include "rlhf/core/error.h"

namespace rlhf::data {
namespace {

constexpr int version = 1;

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string bytes_of(const std::string& text) {
  const std::string_view digits = "0123456789abcdef";
  if (text.size() % 2 != 0 || text.find_first_not_of(digits) != std::string::npos) {
    throw std::invalid_argument("start_state is not hexadecimal");
  }
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes += static_cast<char>(digits.find(text[i]) << 4 | digits.find(text[i + 1]));
  }
  return bytes;
}

nlohmann::json as_json(const Action& action) {
  return std::visit([](const auto& value) { return nlohmann::json(value); }, action);
}

Action action_of(const nlohmann::json& value) {
  if (value.is_array()) return value.get<std::vector<float>>();
  return value.get<std::int64_t>();
}

}  // namespace

nlohmann::json to_json(const Segment& segment) {
  auto actions = nlohmann::json::array();
  for (const auto& action : segment.actions) actions.push_back(as_json(action));
  return {{"version", version},
          {"environment", segment.environment},
          {"spec", segment.spec},
          {"seed", segment.seed},
          {"begin", segment.begin},
          {"length", segment.length},
          {"policy_version", segment.policy_version},
          {"start_state", hexadecimal(segment.start_state)},
          {"actions", std::move(actions)},
          {"rewards", segment.rewards}};
}

Segment segment_from_json(const nlohmann::json& record, std::string_view where) {
  try {
    if (record.at("version").get<int>() > version) throw std::invalid_argument("it was written by a newer release");
    Segment segment{.environment = record.at("environment"),
                    .spec = record.at("spec"),
                    .seed = record.at("seed"),
                    .begin = record.at("begin"),
                    .length = record.at("length"),
                    .policy_version = record.at("policy_version"),
                    .start_state = bytes_of(record.at("start_state"))};
    for (const auto& action : record.at("actions")) segment.actions.push_back(action_of(action));
    segment.rewards = record.at("rewards").get<std::vector<double>>();
    if (segment.rewards.size() != segment.actions.size() ||
        segment.length < static_cast<std::int64_t>(segment.actions.size())) {
      throw std::invalid_argument("the numbers of actions, of rewards and its length contradict each other");
    }
    return segment;
  } catch (const std::exception& error) {  // nlohmann's own name the key
    throw Error({.category = Category::bad_data,
                 .where = std::string(where),
                 .what = std::string("this is no segment: ") + error.what(),
                 .fix = "Record the clip again."});
  }
}

}  // namespace rlhf::data
