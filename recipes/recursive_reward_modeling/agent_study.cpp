#include "recipes/recursive_reward_modeling/agent_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "recipes/recursive_reward_modeling/conditions.h"
#include "rlhf/control/reward_audit.h"

namespace rlhf::recipes {
namespace {

constexpr std::int64_t measured_outputs = 200, start_outputs = 200;

/// True and predicted score of the outputs that a reward model likes best out of N, for N = 1, 4, 16, 64, 256.
void best_of_n(const Trainee& start, const control::RewardEnsemble& reward, std::uint64_t seed,
               nlohmann::json& numbers) {
  const auto outputs = start.outputs(1024, derive(seed, {hash("best of n")}));
  std::vector<double> predicted;
  for (const auto& output : outputs) predicted.push_back(reward.rewards(output.inputs).sum().item<double>());
  for (const std::size_t n : {1, 4, 16, 64, 256}) {
    double truth = 0, score = 0;
    std::size_t groups = 0;
    for (std::size_t begin = 0; begin + n <= outputs.size(); begin += n, ++groups) {
      const auto group = std::span(predicted).subspan(begin, n);
      const auto best = std::max_element(group.begin(), group.end()) - group.begin();
      truth += outputs[begin + static_cast<std::size_t>(best)].truth;
      score += group[static_cast<std::size_t>(best)];
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
    const auto now_seed = derive(config.seed, {hash("now"), static_cast<std::uint64_t>(round)});
    const auto now = trainee.outputs(start_outputs, now_seed);
    const auto any = [&]() -> const Output& {
      const auto& from = random.uniform() < config.start_share ? before : now;
      return from[static_cast<std::size_t>(random.below(std::ssize(from)))];
    };
    std::vector<feedback::Question> questions;
    std::vector<control::ClipComparison> comparisons;
    for (std::int64_t i = 0; i < config.labels / config.rounds; ++i) {
      const auto &first = any(), &second = any();
      const auto pair = fmt::format("round-{}-{}", round, i);
      questions.push_back(question_of("labels", pair, first, second, condition, config.seed));
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
  trainee.film(derive(config.seed, {hash("film")}), part.folder() / "agent.png");
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
