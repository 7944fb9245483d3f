#include "recipes/recursive_reward_modeling/recipe.h"

#include <fmt/format.h>

#include <cmath>

#include "recipes/arms.h"
#include "recipes/recursive_reward_modeling/agent_study.h"
#include "recipes/recursive_reward_modeling/assistance_study.h"
#include "recipes/recursive_reward_modeling/depth.h"
#include "recipes/recursive_reward_modeling/inspector.h"
#include "recipes/recursive_reward_modeling/ledger.h"
#include "recipes/recursive_reward_modeling/people.h"
#include "recipes/recursive_reward_modeling/tampering.h"
#include "rlhf/evaluation/assistance.h"
#include "rlhf/feedback/statistics/estimate.h"

namespace rlhf::recipes {
namespace recursive_paper {
extern const std::string_view smoke_toml, small_toml, expected_json;
}
namespace {

/// Shares of all seeds' held-out pairs, with Wilson's interval.
void add_accuracies(const ArmsResult& arms, const std::string& study, nlohmann::json& results, Run& run) {
  const auto arm = study + "_heldout";
  const auto sum = [&](const std::string& number) {
    double all = 0;
    for (const double one : arms.values(arm, number)) all += one;
    return all;
  };
  for (const auto& condition : assistance_conditions()) {
    const auto share = feedback::statistics::wilson(static_cast<std::int64_t>(sum(condition + "_right")),
                                                    static_cast<std::int64_t>(sum("pairs")));
    if (!share) continue;
    const auto name = fmt::format("{}_{}_accuracy", study, condition);
    results[name] = share->value;
    results[name + "_low"] = share->low;
    results[name + "_high"] = share->high;
    if (condition == "alone") continue;
    for (const char* what : {"_uplift", "_over_reliance"})
      results[fmt::format("{}_{}{}", study, condition, what)] = arms.mean(arm, condition + what);
    run.note(fmt::format("{:<10} {:<14} right {:.3f} [{:.3f}, {:.3f}]  uplift {:+.3f}  over-reliance {:+.3f}", study,
                         condition, share->value, share->low, share->high, arms.mean(arm, condition + "_uplift"),
                         arms.mean(arm, condition + "_over_reliance")));
  }
}

/// The share by which the frozen reward model's optimisation lowers the true score, from where labels ended.
void add_frozen(const ArmsResult& arms, const std::string& study, const RecursiveConfig& config,
                nlohmann::json& results) {
  for (const auto& condition : config.audited) {
    const auto arm = study + "_" + condition;
    if (arms.values(arm, "frozen_truth").empty()) continue;
    const double truth = arms.mean(arm, "truth"), end = arms.mean(arm, "frozen_truth");
    results[arm + "_frozen_drop"] = (truth - end) / std::abs(truth);
  }
  const auto drop = [&](const char* condition) { return results.find(study + "_" + condition + "_frozen_drop"); };
  if (const auto alone = drop("alone"), helper = drop("helper"); alone != results.end() && helper != results.end())
    results[study + "_frozen_drop_saved"] = alone->get<double>() - helper->get<double>();
}

/// How much of what errors of the levels cost a person at the greatest depth several helpers a level win back.
void add_depth(const ArmsResult& arms, const RecursiveConfig& config, nlohmann::json& results, Run& run) {
  const auto accuracy = [&](int levels, double error, const char* members) {
    return arms.mean("depth_accuracy", fmt::format("depth_{}_error_{}_{}", levels, std::lround(100 * error), members));
  };
  double single = 0, ensemble = 0;
  for (const double error : config.level_errors)
    for (int levels = 1; levels <= 3; ++levels) {
      for (const char* members : {"single", "ensemble"})
        results[fmt::format("depth_{}_error_{}_{}", levels, std::lround(100 * error), members)] =
            accuracy(levels, error, members);
      run.note(fmt::format("depth {}  error {:3.0f} %  right {:.3f} alone, {:.3f} with {} a level", levels, 100 * error,
                           accuracy(levels, error, "single"), accuracy(levels, error, "ensemble"), config.ensemble));
      if (levels < 3 || error == 0) continue;
      single += accuracy(3, 0, "single") - accuracy(3, error, "single");
      ensemble += accuracy(3, 0, "single") - accuracy(3, error, "ensemble");
    }
  results["depth_error_reduced"] = 1 - ensemble / single;
}

/// Everybody's judgements, with help and without; of several seeds the mean.
void add_people(const ArmsResult& arms, nlohmann::json& results, Run& run) {
  const std::string arm = "people_judgements";
  const auto mean = [&](const std::string& number) { return arms.mean(arm, number); };
  for (const auto& each : arms.runs.at(arm))
    for (const auto& [number, value] : each.items()) results["people_" + number] = mean(number);
  run.note(fmt::format("people     right {:.3f} alone, {:.3f} with help  uplift {:+.3f} [{:+.3f}, {:+.3f}]  "
                       "over-reliance {:+.3f}  seconds {:.1f} alone, {:.1f} with help",
                       mean("unaided_accuracy"), mean("aided_accuracy"), mean("uplift"), mean("uplift_low"),
                       mean("uplift_high"), mean("over_reliance"), mean("unaided_seconds"), mean("aided_seconds")));
}

void summarise(const ArmsResult& arms, const RecursiveConfig& config, Run& run) {
  nlohmann::json results;
  for (const char* number :
       {"truth", "start_truth", "frozen_truth", "frozen_peak", "frozen_predicted_gain", "best_of_1_truth",
        "best_of_4_truth", "best_of_16_truth", "best_of_64_truth", "best_of_256_truth", "tampered", "first_tampered",
        "true_return"})
    arms.add_to(results, number);
  for (const auto& study : config.studies) {
    if (study == "depth") add_depth(arms, config, results, run);
    if (study == "people") add_people(arms, results, run);
    if (study != "inspector" && study != "ledger") continue;
    add_accuracies(arms, study, results, run);
    add_frozen(arms, study, config, results);
    const auto truth = [&](const char* condition) { return arms.mean(study + "_" + condition, "truth"); };
    results[study + "_gap_recovered"] =
        evaluation::performance_gap_recovered(truth("alone"), truth("helper"), truth("oracle"));
    results[study + "_inverted_over_alone"] = truth("inverted") - truth("alone");
  }
  run.write_file("results.json", results.dump(2) + "\n");
}

/// depth_accuracy, depth_1_single, ...
std::optional<nlohmann::json> run_depth(const std::string& name, const RecursiveConfig& config, Run& part) {
  const auto subject = make_inspector(config.map, config.seed);
  if (name == "accuracy") return measure_depth(*subject, config, part);
  const Depth depth{.levels = name.front() - '0',
                    .error = config.trained_error,
                    .members = name.ends_with("ensemble") ? config.ensemble : 1};
  return train_at_depth(*subject, depth, config, part);
}

std::optional<nlohmann::json> run_arm(RecursiveConfig config, const std::string& arm, Run& part) {
  const auto study = arm.substr(0, arm.find('_')), rest = arm.substr(arm.find('_') + 1);
  if (study == "tampering") return run_tampering(rest, config.error_rate, config.seed, part);
  if (study == "depth") return run_depth(rest, config, part);
  if (study == "ledger") config.budget = config.finder.proposals = config.ledger_budget;
  const auto subject =
      study == "ledger" ? make_ledger(config.clerk, config.seed) : make_inspector(config.map, config.seed);
  if (study == "people") return ask_people(*subject, config, part);
  if (rest == "heldout") return measure_assistance(*subject, config, part);
  return train_under(*subject, rest, config, part);
}

std::vector<std::string> arms_of(const std::string& study, const RecursiveConfig& config) {
  if (study == "depth")
    return {"accuracy", "1_single", "1_ensemble", "2_single", "2_ensemble", "3_single", "3_ensemble"};
  if (study == "tampering") return tampering_arms();
  if (study == "people") return {"judgements"};
  auto arms = config.conditions;
  arms.insert(arms.begin(), "heldout");
  return arms;
}

class RecursiveRewardModeling final : public algorithms::Job {
 public:
  void fields(Fields& f) override { config_.fields(f); }

  void run(Run& run) override {
    config_.validate();
    const bool people = config_.asks_people();
    ArmsPlan plan{.seeds = config_.seeds,
                  .first_seed = config_.seed,
                  .jobs = people ? 1 : config_.jobs,  // people answer one run at a time
                  .aloud = people};
    for (const auto& study : config_.studies)
      for (const auto& arm : arms_of(study, config_)) plan.arms.push_back(study + "_" + arm);
    const auto arms = run_arms(
        plan, run, [&](const std::string&, std::uint64_t seed) { return to_toml(seeded(config_, seed)); },
        [&](const std::string& arm, std::uint64_t seed, Run& part) {
          return run_arm(seeded(config_, seed), arm, part);
        });
    if (!arms) return;
    gather_audits(plan, run);
    summarise(*arms, config_, run);
  }

 private:
  RecursiveConfig config_;
};

}  // namespace

Recipe recursive_reward_modeling() {
  return {.title = "Scalable Agent Alignment via Reward Modeling (Leike et al. 2018)",
          .claim = "Helpers trained on judgements that a person can make let that person judge, and so train, agents "
                   "whose work they could not judge alone.",
          .presets = {{"smoke", recursive_paper::smoke_toml}, {"small", recursive_paper::small_toml}},
          .expected = recursive_paper::expected_json,
          .make = [] { return std::make_unique<RecursiveRewardModeling>(); }};
}

}  // namespace rlhf::recipes
