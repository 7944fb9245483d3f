#include "rlhf/algorithms/detail/session_loop.h"

#include <utility>

#include "rlhf/core/files.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

nlohmann::json as_json(const data::Action& action) {
  return std::visit([](const auto& value) { return nlohmann::json(value); }, action);
}

}  // namespace

nlohmann::json to_json(const TickInput& input, const TickOutput& output) {
  auto events = nlohmann::json::array();
  for (const auto& event : input.events) {
    events.push_back(std::visit(Overloaded{[](const LiveSignal& signal) -> nlohmann::json {
                                             return {
                                                 {"signal", signal.id}, {"value", signal.value}, {"time", signal.time}};
                                           },
                                           [](const UndoSignal& undo) -> nlohmann::json { return {{"undo", undo.id}}; },
                                           [](const Resume&) -> nlohmann::json { return {{"resume", true}}; }},
                                event));
  }
  nlohmann::json row = {{"begin", input.begin}, {"version", output.policy_version}};
  if (input.hold) row["hold"] = true;
  if (output.action) row["action"] = as_json(*output.action);
  if (!events.empty()) row["events"] = std::move(events);
  return row;
}

TickInput tick_input(const nlohmann::json& row) {
  TickInput input{.begin = row.at("begin"), .hold = row.value("hold", false)};
  for (const auto& event : row.value("events", nlohmann::json::array())) {
    if (event.contains("signal")) {
      input.events.push_back(LiveSignal{event["signal"], event.at("value"), event.at("time")});
    } else if (event.contains("undo")) {
      input.events.push_back(UndoSignal{event["undo"]});
    } else {
      input.events.push_back(Resume{});
    }
  }
  return input;
}

std::optional<data::Action> action_of(const nlohmann::json& row) {
  const auto found = row.find("action");
  if (found == row.end()) return std::nullopt;
  if (found->is_array()) return found->get<std::vector<float>>();
  return found->get<std::int64_t>();
}

SessionLoop::SessionLoop(environments::Environment& environment, LiveLearner& learner, std::uint64_t seed)
    : environment_(environment), learner_(learner), seed_(seed) {
  begin_episode();  // so that there is something to see from the first tick on
}

void SessionLoop::begin_episode() {
  const auto seed = derive(seed_, {hash("session.episode"), static_cast<std::uint64_t>(episode())});
  observation_ = environment_.reset(seed).observation;
  current_ = {};
  over_ = false;
}

TickOutput SessionLoop::tick(const TickInput& input, std::vector<Outcome>& outcomes, const data::Action* taken) {
  if (shown_) {
    shown_->end = input.begin;
    learner_.observe(*shown_);
    shown_.reset();
  }
  for (const auto& event : input.events) {
    outcomes.push_back(std::visit(
        Overloaded{[&](const LiveSignal& signal) {
                     learner_.signal(signal);
                     ++result_.signals;
                     return Outcome::used;
                   },
                   [&](const UndoSignal& undo) { return learner_.undo(undo.id) ? Outcome::undone : Outcome::unknown; },
                   [&](const Resume&) {
                     learner_.interrupt();
                     return Outcome::used;
                   }},
        event));
  }
  learner_.publish();
  ++result_.ticks;
  if (input.hold) return {.policy_version = learner_.version()};

  if (over_) begin_episode();
  auto action = taken ? *taken : learner_.act(observation_);
  auto step = environment_.step(action);
  shown_ = LiveStep{.observation = std::move(observation_), .action = action, .begin = input.begin};
  observation_ = std::move(step.observation);
  ++current_.steps;
  current_.total_reward += step.reward;
  over_ = shown_->last = step.terminated || step.truncated;
  if (over_) result_.episodes.push_back(current_);
  return {.policy_version = learner_.version(), .action = std::move(action)};
}

SessionResult SessionLoop::finish(double seconds) {
  result_.seconds = seconds;
  result_.learner_hash = sha256(learner_.state());
  return std::move(result_);
}

}  // namespace rlhf::algorithms
