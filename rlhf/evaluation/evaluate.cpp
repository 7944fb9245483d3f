#include "rlhf/evaluation/evaluate.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <numeric>

#include "rlhf/core/error.h"
#include "rlhf/core/fields.h"

namespace rlhf::evaluation {
namespace {

using Json = nlohmann::json;

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::optional<double> mean_if_any(std::span<const double> values) {
  return values.empty() ? std::nullopt : std::optional(mean(values));
}

void require_as_many(const char* source, std::size_t values, std::size_t completions) {
  if (values == completions) return;
  throw Error({.category = Category::failure,
               .where = fmt::format("evaluation.{}", source),
               .what = fmt::format("returned {} values for {} completions", values, completions),
               .fix = "A source returns one value for each completion, in their order."});
}

std::vector<std::string> prompt_ids(const ScoredCompletions& scored) {
  std::vector<std::string> ids;
  for (const auto& completion : scored.completions) ids.push_back(completion.prompt_id);
  return ids;
}

std::vector<ScoredSample> samples(const ScoredCompletions& scored, std::span<const double> scores) {
  std::vector<ScoredSample> result;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    result.push_back({scored.completions[i].prompt_id, scored.completions[i].sample, scores[i]});
  }
  return result;
}

void add_lengths_and_text(EvaluationResult& result, const ScoredCompletions& now) {
  std::vector<std::string> texts;
  double tokens = 0.0, truncated = 0.0;
  for (const auto& completion : now.completions) {
    texts.push_back(completion.text);
    tokens += static_cast<double>(completion.ids.size());
    truncated += completion.finish == data::FinishReason::length ? 1.0 : 0.0;
  }
  const auto count = static_cast<double>(now.completions.size());
  result.length = tokens / count;
  result.truncated = truncated / count;
  result.text = text_metrics(texts);
}

void add_sums(EvaluationResult& result, std::span<const TokenSums> sums) {
  if (sums.empty()) return;
  double kl = 0.0, entropy = 0.0, start = 0.0, tokens = 0.0;
  for (const auto& sum : sums) {
    kl += sum.policy_logprob - sum.start_logprob;
    entropy += sum.entropy;
    start += sum.start_logprob;
    tokens += static_cast<double>(sum.tokens);
  }
  result.kl = kl / static_cast<double>(sums.size());
  if (tokens == 0.0) return;
  result.entropy = entropy / tokens;
  result.perplexity = std::exp(-start / tokens);
}

/// data::Prompt of each completion: prompts are given once, completions may be several to a prompt.
std::vector<data::Prompt> prompt_of_each(std::span<const data::Prompt> prompts, std::span<const data::Completion> completions) {
  std::map<std::string_view, const data::Prompt*> by_id;
  for (const auto& prompt : prompts) by_id[prompt.id] = &prompt;
  std::vector<data::Prompt> result;
  for (const auto& completion : completions) {
    const auto found = by_id.find(completion.prompt_id);
    if (found == by_id.end()) {
      throw Error({.category = Category::failure,
                   .where = "evaluation.generate",
                   .what = fmt::format("a completion answers prompt '{}', which was not asked", completion.prompt_id),
                   .fix = ""});
    }
    result.push_back(*found->second);
  }
  return result;
}

}  // namespace

void EvaluationConfig::fields(Fields& f) {
  f.group("bootstrap", bootstrap, "confidence intervals");
  f.field("tie", tie, "gold scores closer than this are a tie in the win rate");
}

void EvaluationConfig::validate() const {
  if (tie >= 0.0) return;
  throw Error({.category = Category::usage, .where = "tie", .what = fmt::format("{} is negative", tie), .fix = "Use 0 for exact ties only."});
}

ScoredCompletions answer(std::span<const data::Prompt> prompts, const Sources& sources) {
  ScoredCompletions result{.completions = sources.generate(prompts), .gold = {}, .learned = {}, .judge = {}, .sums = {}};
  const auto asked = prompt_of_each(prompts, result.completions);
  const auto count = result.completions.size();
  const auto fill = [&](const char* name, const auto& source, auto& values) {
    if (!source) return;
    values = source(asked, result.completions);
    require_as_many(name, values.size(), count);
  };
  fill("gold", sources.gold, result.gold);
  fill("learned", sources.learned, result.learned);
  fill("judge", sources.judge, result.judge);
  fill("measure", sources.measure, result.sums);
  return result;
}

EvaluationResult evaluate(std::int64_t step, const ScoredCompletions& start, const ScoredCompletions& now,
                          const EvaluationConfig& config) {
  if (now.completions.empty()) {
    throw Error({.category = Category::bad_data, .where = "evaluation", .what = "there is no completion to evaluate", .fix = "Give at least one prompt."});
  }
  const auto prompts = prompt_ids(now);
  EvaluationResult result;
  result.step = step;
  result.prompts = static_cast<std::int64_t>(clusters_of(prompts).size());
  result.samples = static_cast<std::int64_t>(now.completions.size());
  result.learned = mean_if_any(now.learned);
  result.judge = mean_if_any(now.judge);
  if (!now.gold.empty()) result.gold = bootstrap_mean(now.gold, prompts, config.bootstrap);
  if (!now.gold.empty() && !start.gold.empty()) {
    result.win = win_rate(samples(now, now.gold), samples(start, start.gold), config.bootstrap, config.tie);
  }
  if (!now.judge.empty() && !start.judge.empty()) {
    result.judge_win_rate = win_rate(samples(now, now.judge), samples(start, start.judge), config.bootstrap).rate.mean;
  }
  if (!now.learned.empty() && !now.gold.empty()) {
    result.agreement = agreement(now.learned, now.gold, prompts);
    result.calibration = calibration(now.learned, now.gold, prompts);
  }
  add_lengths_and_text(result, now);
  add_sums(result, now.sums);
  return result;
}

Json EvaluationResult::to_row() const {
  Json row = {{"step", step}, {"prompts", prompts}, {"samples", samples}, {"length", length}, {"truncated", truncated},
              {"distinct_1", text.distinct_1}, {"distinct_2", text.distinct_2}, {"distinct_2_within", text.distinct_2_within},
              {"repetition", text.repetition}, {"duplicates", text.duplicates}, {"words", text.words}};
  const auto add = [&](const char* name, const std::optional<double>& value) {
    if (value) row[name] = *value;
  };
  add("learned", learned);
  add("judge", judge);
  add("judge_win_rate", judge_win_rate);
  add("kl", kl);
  add("entropy", entropy);
  add("perplexity", perplexity);
  if (gold) row.update({{"gold", gold->mean}, {"gold_low", gold->low}, {"gold_high", gold->high}});
  if (win) {
    row.update({{"win_rate", win->rate.mean}, {"win_low", win->rate.low}, {"win_high", win->rate.high},
                {"wins", win->wins}, {"ties", win->ties}, {"losses", win->losses}});
  }
  if (agreement && agreement->pairs > 0) {
    row["agreement"] = {{"accuracy", agreement->accuracy}, {"pearson", agreement->pearson}, {"spearman", agreement->spearman}, {"pairs", agreement->pairs}};
  }
  if (calibration && !calibration->bins.empty()) row["calibration"] = calibration->to_json();
  return row;
}

std::vector<Json> sample_rows(std::int64_t step, std::span<const data::Prompt> prompts, const ScoredCompletions& scored) {
  const auto asked = prompt_of_each(prompts, scored.completions);
  std::vector<Json> rows;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& completion = scored.completions[i];
    Json row = {{"step", step}, {"prompt_id", completion.prompt_id}, {"sample", completion.sample},
                {"prompt", asked[i].text}, {"completion", completion.text},
                {"finish_reason", completion.finish == data::FinishReason::stop ? "stop" : "length"}};
    if (!scored.gold.empty()) row["gold"] = scored.gold[i];
    if (!scored.learned.empty()) row["learned"] = scored.learned[i];
    if (!scored.judge.empty()) row["judge"] = scored.judge[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace rlhf::evaluation
