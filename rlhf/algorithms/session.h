#pragma once
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "rlhf/algorithms/live_learner.h"
#include "rlhf/core/fields.h"
#include "rlhf/environments/environment.h"
#include "rlhf/feedback/session_wire.h"

namespace rlhf::algorithms {

struct SessionConfig {
  double rate = 20.0;         // steps a second at speed 1
  double speed = 1.0;         // at the start; people may change it, 0.25 .. 2
  double seconds = 900.0;     // then the session ends; pauses do not count. 0 = until somebody stops it
  double hold_seconds = 0.6;  // how long the end of an episode stays on the screen
  std::uint64_t seed = 1;     // of the episodes' starts

  void fields(Fields& f) {
    f.field("rate", rate, "steps a second at speed 1");
    f.field("speed", speed, "at the start; people may change it, 0.25 to 2");
    f.field("seconds", seconds, "then the session ends; pauses do not count; 0 = until somebody stops it");
    f.field("hold_seconds", hold_seconds, "how long the end of an episode stays on the screen");
    f.field("seed", seed, "of the episodes' starts");
  }
  void validate() const;
};

/// Time for a session: a person's, or a test's that costs nothing.
class SessionClock {
 public:
  virtual ~SessionClock() = default;
  virtual double now() = 0;  // seconds; only differences count
  virtual void sleep_until(double time) = 0;
};

/// steady_seconds().
class RealClock : public SessionClock {
 public:
  double now() override;
  void sleep_until(double time) override;
};

/// Stands still unless somebody sleeps.
class VirtualClock : public SessionClock {
 public:
  double now() override { return now_; }
  void sleep_until(double time) override { now_ = std::max(now_, time); }

 private:
  double now_ = 0.0;
};

// What people ask of a session. Times of signals are the clock's.
struct UndoSignal {
  std::int64_t id = 0;
};
struct Pause {};
struct Resume {};
struct Stop {};
struct Speed {
  double value = 1.0;
};
using Request = std::variant<feedback::Signal, UndoSignal, Pause, Resume, Speed, Stop>;

/// What became of a signal or an undo.
enum class Outcome { used, undone, duplicate, paused, unknown };
std::string_view outcome_name(Outcome outcome);

/// What people see of one tick.
struct View {
  std::int64_t tick = 0;
  double time = 0.0;  // on the clock
  std::int64_t episode = 0, step = 0;
  const data::Action* action = nullptr;  // the last one; null at the start of an episode
  std::int64_t policy_version = 0;
  bool paused = false;
  double speed = 1.0;
  std::int64_t signals = 0;  // used so far
};

/// The way to the people: a socket (session_socket.h), or a simulated trainer.
class Audience {
 public:
  virtual ~Audience() = default;
  /// What came in since the last call, without waiting.
  virtual std::vector<Request> requests() = 0;
  virtual void acknowledge(std::int64_t id, Outcome outcome, std::int64_t tick) = 0;
  /// After each tick. The environment may be drawn, not stepped.
  virtual void show(const View& view, const environments::Environment& environment) = 0;
};

struct Episode {
  std::int64_t steps = 0;
  double total_reward = 0.0;  // the environment's: for reports, never shown to the learner
};

struct SessionResult {
  std::int64_t ticks = 0, signals = 0;
  double seconds = 0.0;           // without pauses
  std::vector<Episode> episodes;  // the finished ones
  std::string learner_hash;       // SHA-256 of its final state
};

/// Lets people shape an agent while it acts. Every 1 / (rate * speed) seconds, one tick:
///
///   1. what came in since the last tick is handed to the learner
///   2. what it learnt is published, and it chooses an action
///   3. the environment steps, and people see the outcome
///
/// A signal counts for the moment `pressed - delay`. In a pause the session's clock stands still: signals about it are
/// refused, and later ones never reach back over it. A tick that comes late is late; none is skipped.
///
/// All that chance and people decided goes into `log`, one JSON row a tick, so that `replay_session` can repeat it. The
/// first row holds the specs and settings, the last one the result.
SessionResult run_session(environments::Environment& environment, LiveLearner& learner, Audience& audience,
                          SessionClock& clock, const SessionConfig& config, const std::filesystem::path& log);

/// Goes on with a session whose process ended, killed or not: repeats its log on an environment and a learner as they
/// were at its start, which leaves both as they were at the last tick that was logged, and plays on from there as
/// after a pause. Settings are the log's; it is one log, which replay_session repeats as a whole. Throws rlhf::Error
/// (usage) for a session that is over, else as replay_session does.
SessionResult resume_session(environments::Environment& environment, LiveLearner& learner, Audience& audience,
                             SessionClock& clock, const std::filesystem::path& log);

/// Repeats a session from its log with an environment and a learner as they were at its start, without waiting. Throws
/// rlhf::Error (check) at the first tick whose action or policy version is another, or when the learner's final state
/// is; bad_data for a file that is no such log.
SessionResult replay_session(environments::Environment& environment, LiveLearner& learner,
                             const std::filesystem::path& log);

/// Lets a learner with other settings (another credit rule, another model) learn from what was done and said in a
/// session: the log's actions are taken, whatever it would do itself.
SessionResult relearn_session(environments::Environment& environment, LiveLearner& learner,
                              const std::filesystem::path& log);

}  // namespace rlhf::algorithms
