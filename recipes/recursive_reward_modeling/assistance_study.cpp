#include "recipes/recursive_reward_modeling/assistance_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/control/reward_audit.h"
#include "rlhf/core/error.h"
#include "rlhf/evaluation/assistance.h"

namespace rlhf::recipes {
namespace {

constexpr std::int64_t measured_outputs = 200, start_outputs = 200;

std::vector<std::int64_t> faults_first(const Output& output, std::int64_t count, Random& random) {
  auto places = random.permutation(std::ssize(output.places));
  std::stable_partition(places.begin(), places.end(),
                        [&](std::int64_t place) { return output.places[static_cast<std::size_t>(place)].fault; });
  places.resize(std::min(places.size(), static_cast<std::size_t>(count)));
  return places;
}

/// `finder` has to outlive it, where the condition has a helper.
Condition condition_of(const std::string& name, const Subject& subject, const RecursiveConfig& config,
                       const Finder* finder) {
  const auto looks = [&subject, budget = config.budget](auto choose) {
    return [&subject, budget, choose](const Output& output, Random& random) {
      return findings_at(output, choose(output, budget, random), subject.fault_word(), subject.clear_word());
    };
  };
  if (name == "oracle") return {.name = name, .oracle = true};
  if (name == "helper" || name == "inverted")
    return {.name = name,
            .helper = {name == "helper" ? "finder" : "finder turned round", 1},
            .look = looks([finder, turned = name == "inverted"](const Output& output, std::int64_t count, Random& random) {
              return finder->propose(output, count, random, turned);
            })};
  if (name == "oracle_hints") return {.name = name, .helper = {"oracle", 1}, .look = looks(faults_first)};
  if (name == "double_budget")
    return {.name = name, .look = looks([](const Output& output, std::int64_t count, Random& random) {
              return drawn_by_lot(output, 2 * count, random);
            })};
  return {.name = name, .helper = {name == "random_hints" ? "lots" : "", 1}, .look = looks(drawn_by_lot)};
}

feedback::Store store_of(const Run& part) {
  return feedback::Store::open((part.folder() / "feedback.db").string());
}

std::function<bool()> stops(const Run& part) {
  return [&part] { return part.stop_requested(); };
}

/// True and predicted score of the outputs that a reward model likes best out of N, for N = 1, 4, 16, 64, 256.
void best_of_n(const Trainee& start, const control::RewardEnsemble& reward, std::uint64_t seed, nlohmann::json& numbers) {
  const auto outputs = start.outputs(1024, derive(seed, {hash("best of n")}));
  std::vector<double> predicted;
  for (const auto& output : outputs) predicted.push_back(reward.rewards(output.inputs).sum().item<double>());
  for (const std::size_t n : {1, 4, 16, 64, 256}) {
    double truth = 0, score = 0;
    std::size_t groups = 0;
    for (std::size_t begin = 0; begin + n <= outputs.size(); begin += n, ++groups) {
      const auto best = std::max_element(predicted.begin() + static_cast<std::ptrdiff_t>(begin),
                                         predicted.begin() + static_cast<std::ptrdiff_t>(begin + n)) - predicted.begin();
      truth += outputs[static_cast<std::size_t>(best)].truth;
      score += predicted[static_cast<std::size_t>(best)];
    }
    numbers[fmt::format("best_of_{}_truth", n)] = truth / static_cast<double>(groups);
    numbers[fmt::format("best_of_{}_predicted", n)] = score / static_cast<double>(groups);
  }
}

/// Optimises the reward model as it is and looks what becomes of the true score. `before` are outputs of an agent that
/// has learnt nothing: in audit.jsonl they stand at 0, and the agent as it is now at 1.
bool audit(Trainee& trainee, const std::vector<Output>& before, const control::RewardEnsemble& reward,
           const RecursiveConfig& config, Run& part, nlohmann::json& numbers) {
  std::string curve = "rollouts,predicted,truth\n", rows;
  const std::pair<double, double> zero = {mean_predicted(before, reward), mean_truth(before)};
  std::pair<double, double> one = zero;
  const auto look = [&](std::int64_t rollouts) {
    const auto outputs = trainee.outputs(measured_outputs, derive(config.seed, {hash("measured")}));
    const std::pair<double, double> seen = {mean_predicted(outputs, reward), mean_truth(outputs)};
    curve += fmt::format("{},{:.4f},{:.4f}\n", rollouts, seen.first, seen.second);
    if (rollouts == 0) one = seen;
    rows += control::AuditPoint{.steps = rollouts * config.ppo.envs * config.ppo.steps,
                                .predicted = control::share_of(seen.first, zero.first, one.first),
                                .earned = control::share_of(seen.second, zero.second, one.second)}
                .to_json()
                .dump() + "\n";
    return seen;
  };
  const auto [predicted, truth] = look(0);
  auto end = std::pair{predicted, truth};
  double peak = truth;
  for (std::int64_t i = 1; i <= config.frozen_times; ++i) {
    trainee.learn(reward, config.rollouts * config.rounds);
    end = look(i * config.rollouts * config.rounds);
    peak = std::max(peak, end.second);
    if (part.stop_requested()) return false;
  }
  part.write_file("frozen.csv", curve);
  part.write_file("audit.jsonl", rows);
  numbers["frozen_truth"] = end.second;
  numbers["frozen_peak"] = peak;
  numbers["frozen_predicted_gain"] = end.first - predicted;
  return true;
}

}  // namespace

const std::vector<std::string>& assistance_conditions() {
  static const std::vector<std::string> names = {"alone",        "helper",       "oracle",       "inverted",
                                                 "random_hints", "oracle_hints", "double_budget"};
  return names;
}

std::optional<Finder> trained_finder(const Subject& subject, const RecursiveConfig& config, feedback::Store& store,
                                     Run& part) {
  Finder finder(subject.features(), config.finder);
  const auto practice = subject.practice(config.practice, config.seed);
  if (!finder.train(practice, store, config.error_rate, stops(part))) return std::nullopt;
  return finder;
}

std::vector<OutputPair> heldout_pairs(const Subject& subject, const RecursiveConfig& config) {
  const Trainee start(subject, config.agent, config.ppo);
  const auto outputs = start.outputs(4 * start_outputs, derive(config.seed, {hash("held out")}));
  Random random(derive(config.seed, {hash("held-out pairs")}));
  const auto any = [&]() -> const Output& { return outputs[static_cast<std::size_t>(random.below(std::ssize(outputs)))]; };
  std::vector<OutputPair> pairs;
  for (std::int64_t attempt = 0; std::ssize(pairs) < config.heldout && attempt < 100 * config.heldout; ++attempt) {
    const auto &first = any(), &second = any();
    if (first.truth != second.truth) pairs.push_back({first, second});
  }
  return pairs;
}

std::optional<nlohmann::json> measure_assistance(const Subject& subject, const RecursiveConfig& config, Run& part) {
  auto store = store_of(part);
  const auto finder = trained_finder(subject, config, store, part);
  if (!finder) return std::nullopt;
  const auto pairs = heldout_pairs(subject, config);
  const auto evaluator =
      make_evaluator({.error_rate = config.error_rate, .fault_cost = subject.fault_cost(), .seed = config.seed});
  std::vector<evaluation::AidedJudgement> alone;
  const auto start = Trainee(subject, config.agent, config.ppo)
                         .outputs(4 * start_outputs, derive(config.seed, {hash("held out")}));
  nlohmann::json numbers = {{"start_truth", mean_truth(start)}}, reports;
  for (const auto& name : assistance_conditions()) {
    const auto condition = condition_of(name, subject, config, &*finder);
    std::vector<feedback::Question> questions;
    for (std::size_t i = 0; i < pairs.size(); ++i)
      questions.push_back(question_of("heldout", fmt::format("pair-{}", i), pairs[i].first, pairs[i].second, condition,
                                      config.seed));
    const auto answers = ask_all(store, questions, *evaluator, stops(part));
    if (!answers) return std::nullopt;
    std::vector<evaluation::AidedJudgement> judged;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const bool first = pairs[i].first.truth > pairs[i].second.truth;
      const double shown = shown_difference(questions[i], subject.fault_cost());
      judged.push_back({.pair = questions[i].prompt.id, .aided = name != "alone", .right = (*answers)[i] == first});
      if (shown != 0) judged.back().help_right = (shown > 0) == first;
    }
    const auto right = std::count_if(judged.begin(), judged.end(), [](const auto& one) { return one.right; });
    numbers[name + "_right"] = right;
    numbers[name + "_accuracy"] = static_cast<double>(right) / static_cast<double>(judged.size());
    numbers["pairs"] = judged.size();
    if (name == "alone") {
      alone = judged;
      continue;
    }
    judged.insert(judged.end(), alone.begin(), alone.end());
    const auto report = evaluation::assistance_report(judged);
    reports[name] = evaluation::to_json(report);
    numbers[name + "_uplift"] = report.uplift->mean;
    if (report.over_reliance) numbers[name + "_over_reliance"] = *report.over_reliance;
  }
  part.write_file("assistance.json", reports.dump(2) + "\n");
  return numbers;
}

std::optional<nlohmann::json> train_under(const Subject& subject, const Condition& condition,
                                          const RecursiveConfig& config, Run& part) {
  auto store = store_of(part);
  const auto evaluator =
      make_evaluator({.error_rate = config.error_rate, .fault_cost = subject.fault_cost(), .seed = config.seed});
  Trainee trainee(subject, config.agent, config.ppo);
  const Trainee start(subject, config.agent, config.ppo);
  const auto before = start.outputs(start_outputs, derive(config.seed, {hash("start")}));
  control::RewardEnsemble reward(subject.width(), config.reward);
  Random random(derive(config.seed, {hash("pairs")}));
  for (std::int64_t round = 0; round < config.rounds; ++round) {
    const auto now = trainee.outputs(start_outputs, derive(config.seed, {hash("now"), static_cast<std::uint64_t>(round)}));
    const auto any = [&]() -> const Output& {
      const auto& from = random.uniform() < config.start_share ? before : now;
      return from[static_cast<std::size_t>(random.below(std::ssize(from)))];
    };
    std::vector<feedback::Question> questions;
    std::vector<control::ClipComparison> comparisons;
    for (std::int64_t i = 0; i < config.labels / config.rounds; ++i) {
      const auto &first = any(), &second = any();
      questions.push_back(question_of("labels", fmt::format("round-{}-{}", round, i), first, second, condition, config.seed));
      comparisons.push_back({.first = first.inputs, .second = second.inputs});
    }
    const auto answers = ask_all(store, questions, *evaluator, stops(part));
    if (!answers) return std::nullopt;
    for (std::size_t i = 0; i < comparisons.size(); ++i) comparisons[i].preferred = (*answers)[i] ? 1.0 : 0.0;
    reward.add(std::move(comparisons));
    reward.fit(config.fit_updates);
    trainee.learn(reward, config.rollouts);
  }
  nlohmann::json numbers = {
      {"truth", mean_truth(trainee.outputs(measured_outputs, derive(config.seed, {hash("measured")})))}};
  const bool audited = config.frozen_times > 0 && std::find(config.audited.begin(), config.audited.end(),
                                                            condition.name) != config.audited.end();
  if (!audited) return numbers;
  best_of_n(start, reward, config.seed, numbers);
  if (!audit(trainee, before, reward, config, part, numbers)) return std::nullopt;
  return numbers;
}

std::optional<nlohmann::json> train_under(const Subject& subject, const std::string& condition,
                                          const RecursiveConfig& config, Run& part) {
  std::optional<Finder> finder;
  if (condition == "helper" || condition == "inverted") {
    auto store = store_of(part);
    finder = trained_finder(subject, config, store, part);
    if (!finder) return std::nullopt;
  }
  return train_under(subject, condition_of(condition, subject, config, finder ? &*finder : nullptr), config, part);
}

}  // namespace rlhf::recipes
