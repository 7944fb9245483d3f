#include "recipes/deep_tamer/study.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <fmt/format.h>

#include <fstream>

#include "recipes/lesson.h"
#include "rlhf/control/film.h"
#include "rlhf/core/clock.h"
#include "rlhf/environments/table.h"

namespace rlhf::recipes {
namespace {

using environments::Environment;

std::unique_ptr<Environment> make(const std::string& task) {
  return environments::make_environment(environments::builtin_environments(), task);
}

/// What the agent does when nobody is there. It learns nothing from it.
environments::Policy best_of(const algorithms::Tamer& tamer) {
  return [&](const data::Array& seen, Random&) -> data::Action { return tamer.best(seen); };
}

/// Mean return of the agent as it is.
double examine(const algorithms::Tamer& tamer, Environment& environment, std::int64_t episodes, std::uint64_t seed) {
  return earned_in(environment, best_of(tamer), episodes, seed) / static_cast<double>(episodes);
}

/// Examines the agent now and then, in a world of its own.
Onlooker examiner(const algorithms::Tamer& tamer, const DeepTamerConfig& config, const std::string& task,
                  std::uint64_t seed) {
  const std::shared_ptr<Environment> world = make(task);
  const auto look = [&tamer, &config, world, exam = derive(seed, {hash("exam")})](const algorithms::View& view) {
    const double earned = examine(tamer, *world, config.exam_episodes, exam);
    return nlohmann::json{{"steps", view.tick}, {"signals", view.signals}, {"return", earned}};
  };
  const auto ticks = static_cast<std::int64_t>(config.exam_every * config.rate);
  return {.every = std::max<std::int64_t>(1, ticks), .look = look};
}

std::uint64_t test_seed(std::uint64_t seed) { return derive(seed, {hash("evaluation")}); }

std::optional<nlohmann::json> teach(const DeepTamerConfig& config, const std::string& task, const std::string& arm,
                                    std::uint64_t seed, SharedEyes& eyes, Run& part) {
  const double begin = steady_seconds();
  const auto world = make(task);
  const auto settings = tamer_of(config, task, arm, seed);
  nlohmann::json numbers;
  std::shared_ptr<const models::FrameAutoencoder> frames;
  if (algorithms::needs_encoder(world->spec(), settings)) {
    const auto learnt = eyes.of(seed);
    frames = learnt.autoencoder;
    numbers["unseen"] = learnt.error / learnt.variance;
  }
  const auto pupil = [&](const algorithms::TamerConfig& own) { return make_tamer(world->spec(), own, {}, frames); };
  const auto log = part.folder() / "session.jsonl";
  const auto tamer = pupil(settings);
  algorithms::VirtualClock clock;
  algorithms::ScriptedTrainer trainer(clock, make(task), algorithms::expert_opinion(world->spec()), seed,
                                      config.trainer);
  Lesson lesson(trainer, examiner(*tamer, config, task, seed), part);
  const auto result = run_session(*world, *tamer, lesson, clock,
                                  {.rate = config.rate,
                                   .seconds = static_cast<double>(config.steps()) / config.rate,
                                   .hold_seconds = 0,
                                   .seed = seed},
                                  log);
  if (part.stop_requested()) return std::nullopt;
  numbers["signals"] = result.signals;
  numbers["praise"] = tamer->praise();
  numbers["return"] = examine(*tamer, *world, config.evaluate, test_seed(seed));
  if (config.replay) replay_session(*world, *pupil(settings), log);
  if (arm == "deep") {
    const auto other = pupil(tamer_of(config, task, "original", seed));
    relearn_session(*world, *other, log);
    numbers["relearnt"] = examine(*other, *world, config.evaluate, test_seed(seed));
  }
  numbers["seconds"] = steady_seconds() - begin;
  if (seed == config.seed) film_agent(*world, best_of(*tamer), test_seed(seed), part);
  return numbers;
}

std::optional<nlohmann::json> reinforce(const DeepTamerConfig& config, const std::string& task, std::uint64_t seed,
                                        Run& part) {
  const double begin = steady_seconds();
  const auto table = environments::builtin_environments();
  const auto worlds = environments::make_vector(table, task, {}, {.count = 1});
  const auto network = train_dqn(*worlds, dqn_of(config, task, seed), {}, part);
  if (part.stop_requested()) return std::nullopt;
  const auto tests = environments::make_vector(table, task, {}, {.count = 10});
  const auto best = [&](const Tensor& seen) {
    const at::NoGradGuard no_gradient;
    return at::argmax(network->values(seen), 1);
  };
  const double earned = control::mean(control::play(*tests, best, config.evaluate, test_seed(seed)));
  const double seconds = steady_seconds() - begin;
  if (seed == config.seed)
    control::film(*environments::make_vector(table, task, {}, {.count = 1}), *make(task), best, test_seed(seed),
                  part.folder() / "agent.png");
  return nlohmann::json{{"return", earned}, {"seconds", seconds}};
}

}  // namespace

algorithms::FramePretraining SharedEyes::of(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  auto config = config_;
  config.seed = seed;
  return pretrained_frames(*make("mini_bowl"), config, folder_ / fmt::format("{}.safetensors", seed));
}

std::optional<nlohmann::json> run_tamer_arm(const DeepTamerConfig& config, const std::string& task,
                                            const std::string& arm, std::uint64_t seed, SharedEyes& eyes, Run& part) {
  return arm == "dqn" ? reinforce(config, task, seed, part) : teach(config, task, arm, seed, eyes, part);
}

double steps_to_reach(const std::filesystem::path& curve, double wanted, double never) {
  std::ifstream rows(curve);
  for (std::string line; std::getline(rows, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row.at("return").get<double>() >= wanted) return row.at("steps");
  }
  return never;
}

}  // namespace rlhf::recipes
