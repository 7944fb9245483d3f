#include "recipes/deep_tamer/recipe.h"

#include <fmt/format.h>

#include "recipes/config_job.h"
#include "recipes/deep_tamer/study.h"

namespace rlhf::recipes {
namespace deep_tamer_paper {
extern const std::string_view smoke_toml, small_toml, bowl_toml, expected_json;
}
namespace {

std::string run_name(const std::string& task, const std::string& arm) { return task + "_" + arm; }

/// How long each arm took to half of what Deep TAMER came to, in steps; all of them if it never did.
void add_speeds(nlohmann::json& results, const DeepTamerConfig& config, const ArmsResult& arms, const Run& run) {
  for (const auto& task : config.tasks) {
    const auto deep = run_name(task, "deep");
    if (!arms.has(deep) || arms.mean(deep, "return") <= 0) continue;  // half of a negative return says nothing
    for (const auto& arm : config.arms) {
      if (arm == "dqn") continue;
      double sum = 0;
      for (std::int64_t i = 0; i < config.seeds; ++i) {
        const auto part = fmt::format("{}-{}", run_name(task, arm), config.seed + static_cast<std::uint64_t>(i));
        sum += steps_to_reach(run.folder() / "arms" / part / "curve.jsonl", arms.mean(deep, "return") / 2,
                              static_cast<double>(config.steps()));
      }
      results[run_name(task, arm) + "_half_steps"] = sum / static_cast<double>(config.seeds);
    }
  }
}

/// How far Deep TAMER is ahead of each arm: a difference where returns are below 0, and a ratio where they are not.
void add_comparisons(nlohmann::json& results, const DeepTamerConfig& config, const ArmsResult& arms) {
  for (const auto& task : config.tasks)
    for (const auto& arm : config.arms) {
      const auto deep = run_name(task, "deep"), other = run_name(task, arm);
      if (arm == "deep" || !arms.has(deep)) continue;
      const double best = arms.mean(deep, "return"), mean = arms.mean(other, "return");
      results[task + "_deep_over_" + arm] = best - mean;
      if (best > 0 && mean > 0) results[task + "_deep_by_" + arm] = best / mean;
      if (best > 0 && results.contains(other + "_half_steps"))
        results[other + "_slower"] =
            results[other + "_half_steps"].get<double>() / results[deep + "_half_steps"].get<double>();
    }
}

void run_recipe(const DeepTamerConfig& config, Run& run) {
  ArmsPlan plan{.seeds = config.seeds, .first_seed = config.seed, .jobs = config.jobs};
  std::map<std::string, std::pair<std::string, std::string>> parts;
  for (const auto& task : config.tasks)
    for (const auto& arm : config.arms) {
      plan.arms.push_back(run_name(task, arm));
      parts[plan.arms.back()] = {task, arm};
    }
  SharedEyes eyes(run.folder() / "eyes", config.eyes);
  const auto arms = run_arms(
      plan, run,
      [&](const std::string& name, std::uint64_t seed) {
        const auto& [task, arm] = parts.at(name);
        if (arm == "dqn") {
          auto dqn = dqn_of(config, task, seed);
          return to_toml(dqn);
        }
        auto tamer = tamer_of(config, task, arm, seed);
        return to_toml(tamer);
      },
      [&](const std::string& name, std::uint64_t seed, Run& part) {
        const auto& [task, arm] = parts.at(name);
        return run_tamer_arm(config, task, arm, seed, eyes, part);
      });
  if (!arms) return;
  nlohmann::json results;
  for (const char* number : {"return", "relearnt", "signals", "praise", "unseen"}) arms->add_to(results, number);
  add_speeds(results, config, *arms, run);
  add_comparisons(results, config, *arms);
  for (const auto& name : plan.arms) {
    const auto over_seeds = arms->interval(name, "return");
    run.note(fmt::format("{:<24} return {:8.2f} [{:.2f}, {:.2f}] over {} seeds", name, over_seeds.mean, over_seeds.low,
                         over_seeds.high, config.seeds));
  }
  run.write_file("results.json", results.dump(2) + "\n");
}

}  // namespace

Recipe deep_tamer() {
  return {.title = "Deep TAMER: Interactive Agent Shaping in High-Dimensional State Spaces (Warnell et al. 2018)",
          .claim = "A quarter of an hour of praise and scolding teaches an agent what reinforcement learning does not "
                   "learn from as many steps, from pixels as well.",
          .presets = {{"smoke", deep_tamer_paper::smoke_toml},
                      {"small", deep_tamer_paper::small_toml},
                      {"bowl", deep_tamer_paper::bowl_toml}},
          .expected = deep_tamer_paper::expected_json,
          .make = job_of(run_recipe)};
}

}  // namespace rlhf::recipes
