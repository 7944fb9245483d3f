#include "recipes/recursive_reward_modeling/assistance_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "recipes/recursive_reward_modeling/conditions.h"
#include "rlhf/evaluation/assistance.h"

namespace rlhf::recipes {
namespace {

/// What the evaluator says about each pair under a condition.
std::optional<std::vector<evaluation::AidedJudgement>> judge(const std::vector<OutputPair>& pairs,
                                                             const Condition& condition, const Subject& subject,
                                                             const RecursiveConfig& config, feedback::Store& store,
                                                             const Run& part) {
  const auto evaluator =
      make_evaluator({.error_rate = config.error_rate, .fault_cost = subject.fault_cost(), .seed = config.seed});
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
    const bool aided = condition.name != "alone";
    judged.push_back({.pair = questions[i].prompt.id, .aided = aided, .right = (*answers)[i] == first});
    if (aided && shown != 0) judged.back().help_right = (shown > 0) == first;
  }
  return judged;
}

/// Rows of by_faults.csv: pairs, and right judgements of them, by the faults of the output that has fewer.
std::string rows_by_faults(const std::string& condition, const std::vector<OutputPair>& pairs,
                           const std::vector<evaluation::AidedJudgement>& judged) {
  const auto faults = [](const Output& output) {
    return std::count_if(output.places.begin(), output.places.end(), [](const Place& place) { return place.fault; });
  };
  std::map<std::ptrdiff_t, std::pair<int, int>> counted;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto& [all, right] = counted[std::min(faults(pairs[i].first), faults(pairs[i].second))];
    ++all;
    right += judged[i].right;
  }
  std::string rows;
  for (const auto& [fewer, count] : counted)
    rows += fmt::format("{},{},{},{}\n", condition, fewer, count.first, count.second);
  return rows;
}

}  // namespace

std::optional<nlohmann::json> measure_assistance(const Subject& subject, const RecursiveConfig& config, Run& part) {
  auto store = store_of(part);
  const auto finder = trained_finder(subject, config, store, part);
  if (!finder) return std::nullopt;
  const auto outputs = heldout_outputs(subject, config);
  const auto pairs = heldout_pairs(outputs, config);
  nlohmann::json numbers = {{"start_truth", mean_truth(outputs)}, {"pairs", pairs.size()}}, reports;
  std::string by_faults = "condition,faults,pairs,right\n";
  std::vector<evaluation::AidedJudgement> alone;
  for (const auto& name : assistance_conditions()) {
    auto judged = judge(pairs, condition_of(name, subject, config, &*finder), subject, config, store, part);
    if (!judged) return std::nullopt;
    const auto right = std::count_if(judged->begin(), judged->end(), [](const auto& one) { return one.right; });
    numbers[name + "_right"] = right;
    numbers[name + "_accuracy"] = static_cast<double>(right) / static_cast<double>(judged->size());
    by_faults += rows_by_faults(name, pairs, *judged);
    if (name == "alone") {
      alone = *judged;
      continue;
    }
    judged->insert(judged->end(), alone.begin(), alone.end());
    const auto report = evaluation::assistance_report(*judged);
    reports[name] = evaluation::to_json(report);
    numbers[name + "_uplift"] = report.uplift->mean;
    if (report.over_reliance) numbers[name + "_over_reliance"] = *report.over_reliance;
  }
  part.write_file("assistance.json", reports.dump(2) + "\n");
  part.write_file("by_faults.csv", by_faults);
  return numbers;
}

}  // namespace rlhf::recipes
