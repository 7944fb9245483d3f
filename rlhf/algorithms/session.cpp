#include "rlhf/algorithms/session.h"

#include <chrono>
#include <optional>
#include <set>
#include <thread>

#include "rlhf/algorithms/detail/session_log.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"

namespace rlhf::algorithms {
namespace {

constexpr double slowest = 0.25, fastest = 2.0;

/// The session's own time: the clock's without the pauses.
class SessionTime {
 public:
  explicit SessionTime(double now) : start_(now) {}

  /// Here on after `seconds` of it; nothing reaches back over this moment.
  void go_on(double now, double seconds) {
    start_ = now - seconds;
    resumed_at_ = now;
  }
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

  /// After `seconds` of a session whose process ended: as after a pause.
  void go_on(double seconds, const std::vector<std::int64_t>& signals) {
    time_.go_on(clock_.now(), seconds);
    seen_.insert(signals.begin(), signals.end());
    events_.push_back(Resume{});
  }

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

/// Ticks until somebody stops it or the time is over, from tick `tick` on.
SessionResult go_on(environments::Environment& environment, LiveLearner& learner, Audience& audience,
                    SessionClock& clock, const SessionConfig& config, AppendFile& rows, SessionLoop& loop, Live& live,
                    std::int64_t tick) {
  std::optional<data::Action> action;
  double next = clock.now(), held_since = -1.0;
  while (!live.stopped() && (config.seconds == 0 || live.seconds() < config.seconds)) {
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
  rows.append(to_json(result).dump() + "\n");
  rows.sync();
  return result;
}

}  // namespace

void SessionConfig::validate() const {
  require_setting(rate > 0 && rate <= 200, "rate", "Give up to 200 steps a second; people follow 5 to 30.");
  require_setting(speed >= slowest && speed <= fastest, "speed", "Give 0.25 to 2.");
  require_setting(seconds >= 0, "seconds", "Give a time, or 0 for no end.");
  require_setting(hold_seconds >= 0 && hold_seconds <= 10, "hold_seconds", "Give 0 to 10.");
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
  rows.append(session_header(environment, config).dump() + "\n");
  SessionLoop loop(environment, learner, config.seed);
  Live live(audience, clock, config.speed);
  return go_on(environment, learner, audience, clock, config, rows, loop, live, 0);
}

SessionResult resume_session(environments::Environment& environment, LiveLearner& learner, Audience& audience,
                             SessionClock& clock, const std::filesystem::path& log) {
  SessionConfig config;
  std::optional<SessionLoop> loop;
  const auto read = play_log(
      log, LogUse::repeat,
      [&](const nlohmann::json& header) -> SessionLoop& {
        from_json(config, header.at("settings"), log.string());
        return loop.emplace(environment, learner, config.seed);
      },
      environment);
  if (read.result)
    throw Error({.category = Category::usage,
                 .where = log.string(),
                 .what = "this session is over",
                 .fix = "Begin another one, or repeat this one with --replay."});
  AppendFile rows(log, read.bytes);
  Live live(audience, clock, config.speed);
  if (read.ticks > 0) live.go_on(read.begin + 1.0 / (config.rate * config.speed), read.signals);
  return go_on(environment, learner, audience, clock, config, rows, *loop, live, read.ticks);
}

}  // namespace rlhf::algorithms
