#include "recipes/coach/change_of_mind.h"

#include <fmt/format.h>

#include <array>

#include "recipes/lesson.h"
#include "rlhf/core/require.h"
#include "rlhf/environments/two_landmarks.h"

namespace rlhf::recipes {
namespace {

using environments::Environment;
using environments::Landmark;
using environments::TwoLandmarks;

algorithms::TamerConfig tamer_of(const ChangeOfMindConfig& config, const std::string& arm, std::uint64_t seed) {
  auto tamer = config.deep_tamer;
  tamer.seed = seed;
  if (arm == "deep_tamer_recent") tamer.buffer = config.recent;
  return tamer;
}

std::string toml_of(const ChangeOfMindConfig& config, const std::string& arm, std::uint64_t seed) {
  auto coach = config.deep_coach;
  coach.seed = seed;
  auto tamer = tamer_of(config, arm, seed);
  return arm.starts_with("deep_tamer") ? to_toml(tamer) : to_toml(coach);
}

/// A learner of either kind, and what it would do as it is.
struct Pupil {
  std::unique_ptr<algorithms::LiveLearner> learner;
  std::function<std::int64_t(const data::Array&)> best;
};

Pupil make_pupil(const ChangeOfMindConfig& config, const std::string& arm, std::uint64_t seed,
                 const std::shared_ptr<const models::FrameAutoencoder>& eyes) {
  const auto spec = TwoLandmarks().spec();
  if (arm.starts_with("deep_tamer")) {
    auto tamer = make_tamer(spec, tamer_of(config, arm, seed), {}, eyes);
    const auto* own = tamer.get();
    return {.learner = std::move(tamer), .best = [own](const data::Array& seen) { return own->best(seen); }};
  }
  auto settings = config.deep_coach;
  settings.seed = seed;
  auto coach = make_deep_coach(spec, settings, {}, eyes);
  const auto* own = coach.get();
  return {.learner = std::move(coach),
          .best = [own](const data::Array& seen) { return algorithms::likeliest_action(own->chances(seen)); }};
}

/// Share of the starts from which it arrives, doing what it holds for best.
double found(const Pupil& pupil, Landmark wanted) {
  constexpr auto side = environments::landmark_cells;
  TwoLandmarks world({.max_steps = 0, .wanted = wanted});
  std::array<std::int64_t, side * side> best{};
  std::vector<std::pair<int, int>> starts;
  for (int column = 0; column < side; ++column)
    for (int row = 0; row < side; ++row) {
      const environments::TwoLandmarksState cell{.column = column, .row = row};
      if (steps_to(cell, Landmark::tree) == 0 || steps_to(cell, Landmark::well) == 0) continue;
      best[static_cast<std::size_t>(row * side + column)] =
          pupil.best(world.reset(0, {{"state", {column, row}}}).observation);
      starts.emplace_back(column, row);
    }
  double arrived = 0;
  for (const auto& [column, row] : starts) {
    world.reset(0, {{"state", {column, row}}});
    environments::Step step;
    for (int steps = 0; steps < side * side && !step.terminated; ++steps)  // longer ones go in circles
      step = world.step(best[static_cast<std::size_t>(world.now().row * side + world.now().column)]);
    arrived += step.reward;
  }
  return arrived / static_cast<double>(starts.size());
}

/// What becomes of a lesson whose trainer wants another landmark half way.
struct Change {
  Landmark wanted = Landmark::tree;
  double first = 0.0;        // share of starts when the trainer changed their mind
  std::int64_t presses = 0;  // from then until it was recovered
  bool recovered = false;
};

/// Changes the trainer's mind half way, and looks now and then how much of what is wanted the pupil finds.
Onlooker mind_changer(const Pupil& pupil, const ChangeOfMindConfig& config, Change& change) {
  const auto half = static_cast<std::int64_t>(config.minutes * 30 * config.rate);  // ticks
  const auto before = [&, half, signals = std::int64_t{0}](const algorithms::View& view) mutable {
    if (view.tick == half) {
      change.first = found(pupil, change.wanted);
      change.wanted = Landmark::well;
      signals = view.signals;
    }
    if (view.tick >= half && !change.recovered) change.presses = view.signals - signals;
  };
  const auto look = [&, half](const algorithms::View& view) {
    const double share = found(pupil, change.wanted);
    if (view.tick >= half && share >= config.recovered) change.recovered = true;
    return nlohmann::json{{"steps", view.tick}, {"signals", view.signals}, {"found", share}};
  };
  const auto every = std::max(1L, std::lround(config.exam_every * config.rate));
  return {.every = every, .look = look, .before = before};
}

std::optional<nlohmann::json> teach(const ChangeOfMindConfig& config, const std::string& arm, std::uint64_t seed,
                                    const algorithms::FramePretraining& eyes, bool filmed, Run& part) {
  TwoLandmarks world;
  const auto pupil = make_pupil(config, arm, seed, eyes.autoencoder);
  Change change;
  const auto merit = [&change](const Environment& now) {
    return -static_cast<double>(steps_to(dynamic_cast<const TwoLandmarks&>(now).now(), change.wanted));
  };
  const auto actions = std::ssize(std::get<environments::Discrete>(world.spec().action).choices);
  algorithms::VirtualClock clock;
  Trainer trainer(clock, std::make_unique<TwoLandmarks>(), action_verdict(merit, actions), config.trainer, config.rate,
                  seed);
  Lesson lesson(trainer, mind_changer(pupil, config, change), part);
  const auto log = part.folder() / "session.jsonl";
  const algorithms::SessionConfig session{
      .rate = config.rate, .seconds = config.minutes * 60, .hold_seconds = 0, .seed = seed};
  run_session(world, *pupil.learner, lesson, clock, session, log);
  if (part.stop_requested()) return std::nullopt;
  const auto again = make_pupil(config, arm, seed, eyes.autoencoder);
  replay_session(world, *again.learner, log);  // the same bits, or an error
  if (filmed) {
    TwoLandmarks stage({.wanted = change.wanted});
    const auto best = [&](const data::Array& seen, Random&) -> data::Action { return pupil.best(seen); };
    film_agent(stage, best, derive(seed, {hash("film")}), part);
  }
  return nlohmann::json{{"first", change.first},
                        {"presses", change.presses},
                        {"recovered", change.recovered ? 1.0 : 0.0},
                        {"second", found(pupil, change.wanted)},
                        {"unseen", eyes.error / eyes.variance}};
}

}  // namespace

ChangeOfMindConfig::ChangeOfMindConfig() {
  trainer.comments = 0.3;
  trainer.delay = 0.25;
  deep_tamer = {.model = algorithms::SignalModelKind::deep,
                .credit_low = 0.05,
                .credit_high = 0.25,
                .deep = {.learning_rate = 3e-3},
                .replay_every = 1,
                .minibatch = 16,
                .buffer = 1000000};
  eyes.frames = 512;
  eyes.epochs = 12;
  eyes.learning_rate = 5e-3;
}

void ChangeOfMindConfig::fields(Fields& f) {
  f.field("arms", arms, "what is compared: deep_coach, deep_tamer, deep_tamer_recent");
  f.field("seeds", seeds, "runs of each arm");
  f.field("minutes", minutes, "of teaching, the session's time; half way the trainer wants the other landmark");
  f.field("rate", rate, "steps a second");
  f.field("recovered", recovered, "share of the starts from which it has to find what is wanted now");
  f.group("trainer", trainer, "the simulated trainer");
  f.group("deep_coach", deep_coach, "Deep COACH");
  f.group("deep_tamer", deep_tamer, "Deep TAMER");
  f.field("recent", recent, "samples that deep_tamer_recent keeps, where deep_tamer keeps all");
  f.group("eyes", eyes, "the encoder of all");
  f.field("exam_every", exam_every, "session seconds between two looks at what it would do");
}

void ChangeOfMindConfig::validate() const {
  require_setting(!arms.empty(), "arms", "nothing is compared", "Name one or both.");
  for (const auto& arm : arms)
    require_setting(arm == "deep_coach" || arm == "deep_tamer" || arm == "deep_tamer_recent", "arms",
                    "there is no such arm", "Take deep_coach, deep_tamer, deep_tamer_recent.");
  require_setting(seeds >= 1, "seeds", "no run was asked for", "Give 1 or more.");
  require_setting(minutes > 0 && rate > 0, "minutes", "nothing is taught", "Give a time and a rate above 0.");
  require_setting(recovered > 0 && recovered <= 1, "recovered", "Give a share above 0, at most 1.");
  require_setting(exam_every > 0, "exam_every", "Give a time above 0.");
  require_setting(recent >= 1, "recent", "Give 1 or more samples.");
  trainer.validate();
  deep_coach.validate();
  deep_tamer.validate();
  eyes.validate();
}

bool run_change_of_mind(const ChangeOfMindConfig& config, std::int64_t jobs, std::uint64_t seed, Run& run,
                        nlohmann::json& results) {
  std::map<std::uint64_t, algorithms::FramePretraining> eyes;  // of each seed, for both arms
  for (std::int64_t i = 0; i < config.seeds; ++i) {
    const auto own = seed + static_cast<std::uint64_t>(i);
    auto settings = config.eyes;
    settings.seed = own;
    TwoLandmarks world;
    eyes[own] = pretrained_frames(world, settings, run.folder() / "eyes" / fmt::format("{}.safetensors", own));
    if (run.stop_requested()) return false;
  }
  ArmsPlan plan{.seeds = config.seeds, .first_seed = seed, .jobs = jobs};
  for (const auto& arm : config.arms) plan.arms.push_back("change_" + arm);
  const auto arm_of = [](const std::string& name) { return name.substr(std::string("change_").size()); };
  const auto arms = run_arms(
      plan, run, [&](const std::string& name, std::uint64_t own) { return toml_of(config, arm_of(name), own); },
      [&](const std::string& name, std::uint64_t own, Run& part) {
        return teach(config, arm_of(name), own, eyes.at(own), own == seed, part);
      });
  if (!arms) return false;
  for (const char* number : {"first", "presses", "recovered", "second", "unseen"}) arms->add_to(results, number);
  for (const auto& name : plan.arms) {
    const auto presses = arms->interval(name, "presses");
    run.note(fmt::format(
        "{:<20} first {:.2f}, {:.0f} [{:.0f}, {:.0f}] presses to recover, in {:.0f} % of runs; second {:.2f}", name,
        arms->mean(name, "first"), presses.mean, presses.low, presses.high, 100 * arms->mean(name, "recovered"),
        arms->mean(name, "second")));
  }
  for (const auto& name : plan.arms)
    if (arms->has("change_deep_coach") && name != "change_deep_coach")
      results[name + "_ratio"] =
          arms->mean(name, "presses") / std::max(1.0, arms->mean("change_deep_coach", "presses"));
  return true;
}

}  // namespace rlhf::recipes
