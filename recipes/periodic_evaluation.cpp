#include "recipes/periodic_evaluation.h"

#include <ATen/core/grad_mode.h>

#include <fstream>
#include <numeric>

#include "rlhf/algorithms/minibatch.h"
#include "rlhf/algorithms/reward_model.h"
#include "rlhf/algorithms/target_batch.h"
#include "rlhf/generation/engine.h"

namespace rlhf::recipes {
namespace {

constexpr std::int64_t completions_a_pass = 64;  // forward passes of evaluation

evaluation::ScoreFn values_of(const rewards::RewardFn& reward) {
  if (!reward) return {};
  return [&reward](std::span<const data::Prompt> prompts, std::span<const data::Completion> completions) {
    std::vector<double> values;
    for (const auto& score : reward(prompts, completions)) values.push_back(score.value);
    return values;
  };
}

}  // namespace

void PeriodicEvaluationConfig::fields(Fields& f) {
  f.field("samples", samples, "completions per held-out prompt");
  f.field("shown", shown, "of these, written to samples.jsonl");
  f.group("evaluation", evaluation, "intervals and ties");
  f.group("verdict", verdict, "limits beyond which a run is called over-optimised");
}

PeriodicEvaluation::PeriodicEvaluation(PolicyPair models, const text::TextBundle& text, std::vector<data::Prompt> prompts,
                                       generation::SamplingConfig sampling, EvaluationScores scores,
                                       PeriodicEvaluationConfig config, Run& run)
    : models_(models), text_(text), prompts_(std::move(prompts)), sampling_(std::move(sampling)), scores_(std::move(scores)),
      config_(std::move(config)), run_(run) {
  sampling_.num = config_.samples;
  if (!run_.restored()) return;
  // What was evaluated before the checkpoint stays; the start's completions are sampled again, the same ones.
  std::ifstream file(run_.folder() / "evaluation.jsonl");
  for (std::string line; std::getline(file, line);) {
    auto row = nlohmann::json::parse(line, nullptr, false);
    if (row.is_object() && row.value("step", std::int64_t{0}) <= run_.first_step()) rows_.push_back(std::move(row));
  }
}

void PeriodicEvaluation::at(std::int64_t updates) {
  if (start_.completions.empty()) {
    start_ = answers(/*adapters=*/false);
    results_.push_back(evaluation::evaluate(0, start_, start_, config_.evaluation));
    if (rows_.empty()) {
      rows_.push_back(results_.back().to_row());
      for (const auto& row : evaluation::sample_rows(0, prompts_, start_)) {
        if (row["sample"] < config_.shown) run_.sample(row);
      }
    }
  }
  if (updates > 0) {
    const auto now = answers(/*adapters=*/true);
    results_.push_back(evaluation::evaluate(updates, start_, now, config_.evaluation));
    if (rows_.back()["step"] < updates) {
      rows_.push_back(results_.back().to_row());
      for (const auto& row : evaluation::sample_rows(updates, prompts_, now)) {
        if (row["sample"] < config_.shown) run_.sample(row);
      }
    }
  }
  write_rows();
}

evaluation::ScoredCompletions PeriodicEvaluation::answers(bool adapters) const {
  const auto& model = adapters || models_.reference == nullptr ? models_.policy : *models_.reference;
  const evaluation::Sources sources{
      .generate =
          [&](std::span<const data::Prompt> prompts) {
            return generation::generate(model, text_, prompts, sampling_, {.adapters = adapters});
          },
      .gold = values_of(scores_.gold),
      .learned = values_of(scores_.learned),
      .judge = values_of(scores_.judge),
      .measure = [&](std::span<const data::Prompt> prompts,
                     std::span<const data::Completion> completions) { return measure(prompts, completions, adapters); }};
  return evaluation::answer(prompts_, sources);
}

std::vector<evaluation::TokenSums> PeriodicEvaluation::measure(std::span<const data::Prompt> prompts,
                                                               std::span<const data::Completion> completions,
                                                               bool adapters) const {
  const at::NoGradGuard no_grad;
  std::vector<data::Example> examples;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    examples.push_back(algorithms::scored_example(prompts[i].ids, completions[i].ids));
  }
  std::vector<evaluation::TokenSums> sums(completions.size());
  for (std::size_t first = 0; first < examples.size(); first += completions_a_pass) {
    std::vector<std::int64_t> items(std::min<std::size_t>(completions_a_pass, examples.size() - first));
    std::iota(items.begin(), items.end(), static_cast<std::int64_t>(first));
    const auto batch = algorithms::pack_targets(examples, items);
    const auto start = algorithms::read_out(models_.reference ? *models_.reference : models_.policy, batch,
                                            {.entropy = true, .adapters = models_.reference != nullptr});
    const auto now = adapters ? algorithms::read_out(models_.policy, batch, {.entropy = true}) : start;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto total = [&](const Tensor& values) {
        return values.slice(0, batch.starts[i], batch.starts[i + 1]).sum().item<double>();
      };
      sums[first + i] = {.tokens = batch.starts[i + 1] - batch.starts[i],
                         .start_logprob = total(start.logprobs),
                         .policy_logprob = total(now.logprobs),
                         .entropy = total(now.entropy)};
    }
  }
  return sums;
}

evaluation::Verdict PeriodicEvaluation::verdict() const {
  std::vector<evaluation::Observation> observations;
  for (const auto& row : rows_) observations.push_back(evaluation::Observation::from_row(row));
  auto verdict = evaluation::judge_run(observations, config_.verdict);
  run_.write_file("verdict.json", verdict.to_json().dump(2) + "\n");
  return verdict;
}

void PeriodicEvaluation::write_rows() const {
  std::string text;
  for (const auto& row : rows_) text += row.dump() + "\n";
  run_.write_file("evaluation.jsonl", text);
}

}  // namespace rlhf::recipes
