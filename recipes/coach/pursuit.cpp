#include "recipes/coach/pursuit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "recipes/lesson.h"
#include "rlhf/core/require.h"
#include "rlhf/environments/point_chase.h"
#include "rlhf/environments/scripted_agent.h"

namespace rlhf::recipes {
namespace {

using environments::PointChase;

bool tamer_arm(const std::string& arm) { return arm.starts_with("tamer"); }

/// The nearer to the ball the better.
double nearness(const environments::Environment& world) {
  const auto& now = dynamic_cast<const PointChase&>(world).now();
  return -std::hypot(now.ball_x - now.x, now.ball_y - now.y);
}

/// What a policy earns a step.
double test(const environments::Policy& policy, std::int64_t episodes, std::uint64_t seed) {
  constexpr std::int64_t steps = 450;  // a quarter of a minute
  PointChase world({.max_steps = steps});
  return earned_in(world, policy, episodes, seed) / static_cast<double>(episodes * steps);
}

data::Action chase(const data::Array& seen, Random&) { return environments::chase_ball(seen); }

std::uint64_t test_seed(std::uint64_t seed) { return derive(seed, {hash("pursuit.test")}); }

/// A learner of either kind as the study needs it.
struct Pupil {
  std::unique_ptr<algorithms::LiveLearner> learner;
  environments::Policy policy;  // as it is, changing nothing
  Habits habits;
};

Pupil coach_pupil(const PursuitConfig& config, const environments::Spec& spec, const std::string& arm,
                  std::uint64_t seed) {
  auto coach = make_coach(spec, coach_of(config, arm, seed), config.scale, nullptr);
  const auto* own = coach.get();
  return {.learner = std::move(coach),
          .policy = [own](const data::Array& seen, Random& random) -> data::Action {
            return algorithms::drawn_action(own->chances(seen), random.uniform());
          },
          .habits = [own](const data::Array& seen) { return own->chances(seen); }};
}

Pupil tamer_pupil(const PursuitConfig& config, const environments::Spec& spec, std::uint64_t seed) {
  auto settings = config.tamer;
  settings.seed = seed;
  auto tamer = make_tamer(spec, settings, config.scale, nullptr);
  const auto* own = tamer.get();
  const auto actions = std::ssize(std::get<environments::Discrete>(spec.action).choices);
  return {.learner = std::move(tamer),
          .policy = [own](const data::Array& seen, Random&) -> data::Action { return own->best(seen); },
          .habits =
              [own, actions](const data::Array& seen) {
                const auto values = own->predict(seen);
                const double most = *std::max_element(values.begin(), values.end());
                std::vector<double> chances(static_cast<std::size_t>(actions), 1.0 / static_cast<double>(actions));
                if (own->samples() == 0) return chances;  // it acts at random until somebody has said something
                const auto equals = static_cast<double>(std::count(values.begin(), values.end(), most));
                for (std::size_t i = 0; i < chances.size(); ++i) chances[i] = values[i] == most ? 1 / equals : 0.0;
                return chances;
              }};
}

/// Looks how well the pupil follows, as a share of the expert; `reached` gets the session seconds until it first was as
/// much as is wanted.
Onlooker follower(const Pupil& pupil, const PursuitConfig& config, std::uint64_t seed, std::optional<double>& reached) {
  const auto exam = derive(seed, {hash("pursuit.exam")});
  const auto look = [&, exam, expert = test(chase, config.exam_episodes, exam)](const algorithms::View& view) {
    const double seconds = static_cast<double>(view.tick) / config.rate;
    const double tracking = test(pupil.policy, config.exam_episodes, exam) / expert;
    if (!reached && tracking >= config.wanted) reached = seconds;
    return nlohmann::json{{"seconds", seconds}, {"signals", view.signals}, {"tracking", tracking}};
  };
  return {.every = std::max(1L, std::lround(config.exam_every * config.rate)), .look = look};
}

std::optional<nlohmann::json> teach(const PursuitConfig& config, const std::string& arm, std::uint64_t seed,
                                    bool filmed, Run& part) {
  PointChase world;
  const auto& spec = world.spec();
  const auto pupil = tamer_arm(arm) ? tamer_pupil(config, spec, seed) : coach_pupil(config, spec, arm, seed);
  const auto actions = std::ssize(std::get<environments::Discrete>(spec.action).choices);
  const auto verdict = arm == "tamer" ? action_verdict(nearness, actions) : advantage_verdict(nearness, pupil.habits);
  algorithms::VirtualClock clock;
  Trainer trainer(clock, std::make_unique<PointChase>(), verdict, trainer_of(config, arm), config.rate, seed);
  std::optional<double> reached;
  Lesson lesson(trainer, follower(pupil, config, seed, reached), part);
  const auto log = part.folder() / "session.jsonl";
  const algorithms::SessionConfig session{
      .rate = config.rate, .seconds = config.minutes * 60, .hold_seconds = 0, .seed = seed};
  const auto result = run_session(world, *pupil.learner, lesson, clock, session, log);
  if (part.stop_requested()) return std::nullopt;
  constexpr std::int64_t episodes = 40;
  const auto own = test_seed(seed);
  const auto again = tamer_arm(arm) ? tamer_pupil(config, spec, seed) : coach_pupil(config, spec, arm, seed);
  replay_session(world, *again.learner, log);  // the same bits, or an error
  if (filmed) film_agent(world, pupil.policy, own, part);
  return nlohmann::json{{"reached", reached.value_or(config.minutes * 60)},
                        {"taught", reached ? 1.0 : 0.0},
                        {"tracking", test(pupil.policy, episodes, own) / test(chase, episodes, own)},
                        {"presses", result.signals}};
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& pursuit_arms() {
  static const std::vector<std::pair<std::string, std::string>> names = {
      {"coach", "real-time COACH"},
      {"no_delay", "a press is about the newest steps"},
      {"no_trace", "a press is about one step"},
      {"no_trace_tuned", "no_trace at its own learning rate"},
      {"short_trace", "a trace of five steps instead of twenty"},
      {"short_trace_no_delay", "the same, about the newest steps"},
      {"single", "COACH, and a trainer who judges single steps of a thirtieth of a second"},
      {"single_no_delay", "the same, about the newest steps"},
      {"single_no_trace", "the same without traces, at its own learning rate"},
      {"tamer", "TAMER, told which actions are right"},
      {"tamer_advantage", "TAMER, told what COACH is told"}};
  return names;
}

PursuitConfig::PursuitConfig() {
  for (const auto& [name, what] : pursuit_arms()) arms.push_back(name);
  trainer.judged = 0.5;
  tamer.squash = true;
  tamer.credit_low = 0.15, tamer.credit_high = 0.75;  // when what this trainer judges happened
  scale = {1, 1, 10, 10, 2, 2};                       // the ball's place counts where it is near
}

void PursuitConfig::fields(Fields& f) {
  f.field("arms", arms, "what is compared: `rlhf recipe show coach` and the README list them");
  f.field("seeds", seeds, "runs of each arm");
  f.field("minutes", minutes, "of teaching, the session's time");
  f.field("rate", rate, "steps a second");
  f.field("wanted", wanted, "share of the expert's tracking reward with which a learner counts as taught");
  f.group("trainer", trainer, "the simulated trainer");
  f.group("coach", coach, "the learner");
  f.field("short_trace", short_trace, "what remains of a trace after a step in the arms short_trace...");
  f.field("no_trace_rate", no_trace_rate, "learning rate of no_trace_tuned");
  f.field("single_rate", single_rate, "learning rate of single_no_trace");
  f.group("tamer", tamer, "TAMER");
  f.field("scale", scale, "what the six numbers of an observation are multiplied by");
  f.field("exam_every", exam_every, "session seconds between two looks at how well it follows by now");
  f.field("exam_episodes", exam_episodes, "in each, of a quarter of a minute");
}

void PursuitConfig::validate() const {
  require_setting(std::find(arms.begin(), arms.end(), "coach") != arms.end(), "arms", "coach is not among them",
                  "Name it first: the others are compared with it.");
  for (const auto& arm : arms) {
    const auto is = [&](const auto& each) { return each.first == arm; };
    require_setting(std::any_of(pursuit_arms().begin(), pursuit_arms().end(), is), "arms",
                    fmt::format("there is no arm '{}'", arm), "See the README.");
  }
  require_setting(seeds >= 1, "seeds", "no run was asked for", "Give 1 or more.");
  require_setting(minutes > 0 && rate > 0, "minutes", "nothing is taught", "Give a time and a rate above 0.");
  require_setting(exam_every > 0 && exam_episodes >= 1, "exam_every", "nobody looks",
                  "Give a time above 0 and 1 episode or more.");
  require_setting(short_trace >= 0 && short_trace <= 1, "short_trace", "Give 0 to 1.");
  require_setting(no_trace_rate > 0, "no_trace_rate", "Give a positive number.");
  require_setting(single_rate > 0, "single_rate", "Give a positive number.");
  trainer.validate();
  coach.validate();
  tamer.validate();
}

algorithms::CoachConfig coach_of(const PursuitConfig& config, const std::string& arm, std::uint64_t seed) {
  auto coach = config.coach;
  coach.seed = seed;
  if (arm.find("no_delay") != std::string::npos) coach.delay = 0;
  if (arm.find("no_trace") != std::string::npos) coach.trace = 0;
  if (arm.starts_with("short_trace")) coach.trace = config.short_trace;
  if (arm == "no_trace_tuned") coach.learning_rate = config.no_trace_rate;
  if (arm == "single_no_trace") coach.learning_rate = config.single_rate;
  return coach;
}

ReactionConfig trainer_of(const PursuitConfig& config, const std::string& arm) {
  auto trainer = config.trainer;
  if (arm.starts_with("single")) trainer.judged = 0;
  return trainer;
}

bool run_pursuit(const PursuitConfig& config, std::int64_t jobs, std::uint64_t seed, Run& run,
                 nlohmann::json& results) {
  ArmsPlan plan{.seeds = config.seeds, .first_seed = seed, .jobs = jobs};
  for (const auto& arm : config.arms) plan.arms.push_back("pursuit_" + arm);
  const auto arm_of = [](const std::string& name) { return name.substr(std::string("pursuit_").size()); };
  const auto arms = run_arms(
      plan, run,
      [&](const std::string& name, std::uint64_t own) {
        auto coach = coach_of(config, arm_of(name), own);
        auto tamer = config.tamer;
        return tamer_arm(arm_of(name)) ? to_toml(tamer) : to_toml(coach);
      },
      [&](const std::string& name, std::uint64_t own, Run& part) {
        return teach(config, arm_of(name), own, own == seed, part);
      });
  if (!arms) return false;
  for (const char* number : {"reached", "taught", "tracking", "presses"}) arms->add_to(results, number);
  const double coach = arms->mean("pursuit_coach", "reached");
  for (const auto& name : plan.arms) {
    const auto reached = arms->interval(name, "reached"), tracking = arms->interval(name, "tracking");
    if (name != "pursuit_coach") results[name + "_slower"] = reached.mean / coach;
    run.note(fmt::format(
        "{:<26} taught after {:5.1f} s [{:.0f}, {:.0f}] in {:.0f} % of runs, tracking {:.2f} [{:.2f}, {:.2f}]", name,
        reached.mean, reached.low, reached.high, 100 * arms->mean(name, "taught"), tracking.mean, tracking.low,
        tracking.high));
  }
  return true;
}

}  // namespace rlhf::recipes
