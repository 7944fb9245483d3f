#include "rlhf/environments/environment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"

namespace rlhf::environments {
namespace {

[[noreturn]] void throw_usage(const Spec& spec, std::string what, std::string fix) {
  throw Error({.category = Category::usage,
               .where = "environment " + spec.name,
               .what = std::move(what),
               .fix = std::move(fix)});
}

/// JSON has no infinity.
nlohmann::json bounds_as_json(const std::vector<double>& bounds) {
  auto list = nlohmann::json::array();
  for (const double bound : bounds) {
    list.push_back(std::isinf(bound) ? nlohmann::json(bound > 0 ? "inf" : "-inf") : nlohmann::json(bound));
  }
  return list;
}

struct SpaceAsJson {
  nlohmann::json operator()(const Discrete& space) const { return {{"choices", space.choices}}; }
  nlohmann::json operator()(const Box& space) const {
    constexpr const char* names[] = {"uint8", "int64", "float32", "float64"};
    auto json = nlohmann::json{{"dtype", names[static_cast<int>(space.dtype)]},
                               {"shape", space.shape},
                               {"low", bounds_as_json(space.low)},
                               {"high", bounds_as_json(space.high)}};
    if (space.stack > 1) json["stack"] = space.stack;  // only where there is one: hashes of the others stay
    return json;
  }
};

}  // namespace

nlohmann::json to_json(const Spec& spec) {
  nlohmann::json record = {{"name", spec.name},
                           {"version", spec.version},
                           {"observation", std::visit(SpaceAsJson{}, spec.observation)},
                           {"action", std::visit(SpaceAsJson{}, spec.action)},
                           {"max_steps", spec.max_steps},
                           {"step_seconds", spec.step_seconds},
                           {"state", spec.can.state},
                           {"render", spec.can.render},
                           {"settings", spec.settings}};
  // Absent elsewhere: hashes of what was recorded before stay.
  if (spec.can.text) record["text"] = true;
  if (!spec.manifest.is_null()) record["manifest"] = spec.manifest;
  return record;
}

std::string hash_of(const Spec& spec) { return sha256(to_json(spec).dump()); }

Array Environment::observation() const {
  throw_usage(spec(), "it does not say what is seen in a state that was set",
              "Override observation() beside set_state().");
}

std::string Environment::state() const {
  throw_usage(spec(), "it cannot save its state", "Ask spec().can.state first; clips of it need stored frames.");
}

void Environment::set_state(std::string_view) {
  throw_usage(spec(), "it cannot go back to a saved state", "Ask spec().can.state first.");
}

Image Environment::render(int, int) const { throw_usage(spec(), "it has no picture", "Ask spec().can.render first."); }

std::string Environment::text() const {
  throw_usage(spec(), "it cannot be written in letters", "Ask spec().can.text first.");
}

std::int64_t checked_choice(const Spec& spec, const Action& action) {
  const auto& choices = std::get<Discrete>(spec.action).choices;
  const auto* choice = std::get_if<std::int64_t>(&action);
  if (!choice || *choice < 0 || *choice >= static_cast<std::int64_t>(choices.size())) {
    throw_usage(spec, choice ? fmt::format("there is no action {}", *choice) : "the action is a list of numbers",
                fmt::format("Give an index from 0: {}.", fmt::join(choices, ", ")));
  }
  return *choice;
}

const float* checked_numbers(const Spec& spec, const Action& action) {
  std::int64_t expected = 1;
  for (const auto side : std::get<Box>(spec.action).shape) expected *= side;
  const auto* numbers = std::get_if<std::vector<float>>(&action);
  if (!numbers || std::ssize(*numbers) != expected)
    throw_usage(spec, numbers ? fmt::format("the action has {} numbers", numbers->size()) : "the action is a choice",
                fmt::format("Give {} numbers.", expected));
  if (!std::all_of(numbers->begin(), numbers->end(), [](float number) { return std::isfinite(number); }))
    throw_usage(spec, "the action holds something that is no number", "Look for a division by zero in the policy.");
  return numbers->data();
}

void check_options(const Spec& spec, const nlohmann::json& options, const std::vector<std::string>& known) {
  if (options.is_null()) return;
  if (!options.is_object()) throw_usage(spec, "the options of reset are not an object", "");
  for (const auto& [key, value] : options.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw_usage(spec, fmt::format("reset has no option '{}'", key),
                  fmt::format("Known: {}.", fmt::join(known, ", ")));
    }
  }
}

void throw_not_running(const Spec& spec) {
  throw_usage(spec, "no episode is running", "Call reset first, and again after terminated or truncated.");
}

}  // namespace rlhf::environments
