#include "rlhf/algorithms/session.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <set>
#include <thread>

#include "rlhf/algorithms/detail/session_loop.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"

namespace rlhf::algorithms {
namespace {

constexpr int log_version = 1;
constexpr double slowest = 0.25, fastest = 2.0;

/// The session's own time: the clock's without the pauses.
class SessionTime {
 public:
  explicit SessionTime(double now) : start_(now) {}

  void pause(double now) { paused_at_ = now; }
  void resume(double now) {
    start_ += now - *paused_at_;
    resumed_at_ = now;
    paused_at_.reset();
  }
  bool paused() const { return paused_at_.has_value(); }
  double at(double now) const { return (paused_at_ ? std::min(now, *paused_at_) : now) - start_; }
  /// Was this moment in a pause, or before one that is over?
  bool behind_a_pause(double moment) const {
    return paused_at_ ? moment > *paused_at_ : resumed_at_ && moment < *resumed_at_;
  }

 private:
  double start_;
  std::optional<double> paused_at_, resumed_at_;
};

/// A session that goes on: turns what people say at a moment of the clock into the input of the next tick.
class Live {
 public:
  Live(Audience& audience, SessionClock& clock, double speed)
      : audience_(audience), clock_(clock), time_(clock.now()), speed_(speed) {}

  void take(const Request& request, std::int64_t tick) {
    std::visit([&](const auto& asked) { handle(asked, tick); }, request);
  }

  TickInput next_input(bool hold) {
    return {.begin = time_.at(clock_.now()), .hold = hold, .events = std::exchange(events_, {})};
  }
  void acknowledge(const TickInput& input, const std::vector<Outcome>& outcomes, std::int64_t tick) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (const auto* signal = std::get_if<LiveSignal>(&input.events[i]))
        audience_.acknowledge(signal->id, outcomes[i], tick);
      if (const auto* undo = std::get_if<UndoSignal>(&input.events[i]))
        audience_.acknowledge(undo->id, outcomes[i], tick);
    }
  }

  bool paused() const { return time_.paused(); }
  bool stopped() const { return stopped_; }
  double speed() const { return speed_; }
  double seconds() const { return time_.at(clock_.now()); }

 private:
  void handle(const feedback::Signal& signal, std::int64_t tick) {
    const double moment = signal.pressed - signal.delay;
    if (seen_.contains(signal.id)) return audience_.acknowledge(signal.id, Outcome::duplicate, tick);
    if (time_.behind_a_pause(moment)) return audience_.acknowledge(signal.id, Outcome::paused, tick);
    seen_.insert(signal.id);
    events_.push_back(LiveSignal{.id = signal.id, .value = signal.value, .time = time_.at(moment)});
  }
  void handle(const UndoSignal& undo, std::int64_t) { events_.push_back(undo); }
  void handle(const Pause&, std::int64_t) {
    if (!time_.paused()) time_.pause(clock_.now());
  }
  void handle(const Resume&, std::int64_t) {
    if (!time_.paused()) return;
    time_.resume(clock_.now());
    events_.push_back(Resume{});
  }
  void handle(const Speed& speed, std::int64_t) { speed_ = std::clamp(speed.value, slowest, fastest); }
  void handle(const Stop&, std::int64_t) { stopped_ = true; }

  Audience& audience_;
  SessionClock& clock_;
  SessionTime time_;
  double speed_;
  bool stopped_ = false;
  std::set<std::int64_t> seen_;
  decltype(TickInput::events) events_;
};

nlohmann::json header_of(const environments::Environment& environment, const SessionConfig& config) {
  return {{"session", log_version},
          {"environment", environments::to_json(environment.spec())},
          {"spec", environments::hash_of(environment.spec())},
          {"settings", rlhf::to_json(config)}};
}

nlohmann::json as_json(const SessionResult& result) {
  auto episodes = nlohmann::json::array();
  for (const auto& episode : result.episodes) episodes.push_back({episode.steps, episode.total_reward});
  return {{"ticks", result.ticks},
          {"signals", result.signals},
          {"seconds", result.seconds},
          {"episodes", std::move(episodes)},
          {"learner", result.learner_hash}};
}

[[noreturn]] void throw_differs(const std::filesystem::path& log, std::int64_t row, std::string what) {
  throw Error({.category = Category::check,
               .where = fmt::format("{}:{}", log.string(), row),
               .what = std::move(what),
               .fix = "Replay with the release, the settings and the learner of the session."});
}

}  // namespace

void SessionConfig::validate() const {
  const auto refuse = [](const char* field, const char* fix) {
    throw Error({.category = Category::usage, .where = field, .what = "out of range", .fix = fix});
  };
  if (!(rate > 0 && rate <= 200)) refuse("rate", "Give up to 200 steps a second; people follow 5 to 30.");
  if (!(speed >= slowest && speed <= fastest)) refuse("speed", "Give 0.25 to 2.");
  if (!(seconds >= 0)) refuse("seconds", "Give a time, or 0 for no end.");
  if (!(hold_seconds >= 0 && hold_seconds <= 10)) refuse("hold_seconds", "Give 0 to 10.");
}

double RealClock::now() { return steady_seconds(); }
void RealClock::sleep_until(double time) {
  std::this_thread::sleep_for(std::chrono::duration<double>(std::max(time - steady_seconds(), 0.0)));
}

std::string_view outcome_name(Outcome outcome) {
  constexpr std::string_view names[] = {"used", "undone", "duplicate", "paused", "unknown"};
  return names[static_cast<int>(outcome)];
}

SessionResult run_session(environments::Environment& environment, LiveLearner& learner, Audience& audience,
                          SessionClock& clock, const SessionConfig& config, const std::filesystem::path& log) {
  config.validate();
  AppendFile rows(log, 0);
  rows.append(header_of(environment, config).dump() + "\n");
  SessionLoop loop(environment, learner, config.seed);
  Live live(audience, clock, config.speed);
  std::optional<data::Action> action;
  double next = clock.now(), held_since = -1.0;
  for (std::int64_t tick = 0; !live.stopped() && (config.seconds == 0 || live.seconds() < config.seconds);) {
    for (const auto& request : audience.requests()) live.take(request, tick);
    if (!live.paused()) {
      const double now = live.seconds();
      if (!loop.episode_over())
        held_since = -1.0;
      else if (held_since < 0)
        held_since = now;
      const auto input = live.next_input(loop.episode_over() && now - held_since < config.hold_seconds);
      std::vector<Outcome> outcomes;
      const auto output = loop.tick(input, outcomes);
      rows.append(to_json(input, output).dump() + "\n");
      live.acknowledge(input, outcomes, tick++);
      if (output.action) action = output.action;
    }
    audience.show({.tick = tick,
                   .time = clock.now(),
                   .episode = loop.episode(),
                   .step = loop.step(),
                   .action = action ? &*action : nullptr,
                   .policy_version = learner.version(),
                   .paused = live.paused(),
                   .speed = live.speed(),
                   .signals = loop.signals()},
                  environment);
    next = std::max(next + 1.0 / (config.rate * live.speed()), clock.now());  // late is late: nothing is made up for
    clock.sleep_until(next);
  }
  auto result = loop.finish(live.seconds());
  rows.append(as_json(result).dump() + "\n");
  rows.sync();
  return result;
}

SessionResult replay_session(environments::Environment& environment, LiveLearner& learner,
                             const std::filesystem::path& log) {
  std::ifstream file(log);
  std::string line;
  std::int64_t number = 0;
  const auto next_row = [&] {
    ++number;
    return std::getline(file, line) ? nlohmann::json::parse(line) : throw std::invalid_argument("it ends too early");
  };
  try {
    const auto header = next_row();
    if (header.at("session").get<int>() > log_version) throw std::invalid_argument("a newer release wrote it");
    if (header.at("spec") != environments::hash_of(environment.spec()))
      throw_differs(log, 1, "the environment is another");
    SessionLoop loop(environment, learner, header.at("settings").at("seed"));
    auto row = next_row();
    for (; row.contains("begin"); row = next_row()) {
      const auto input = tick_input(row);
      std::vector<Outcome> outcomes;
      const auto output = loop.tick(input, outcomes);
      if (to_json(input, output) != row) throw_differs(log, number, "the action or the policy version is another here");
    }
    const auto result = loop.finish(row.at("seconds"));
    if (as_json(result) != row) throw_differs(log, number, "the result is another");
    return result;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error({.category = Category::bad_data,
                 .where = fmt::format("{}:{}", log.string(), number),
                 .what = std::string("this is no finished session: ") + error.what(),
                 .fix = ""});
  }
}

}  // namespace rlhf::algorithms
