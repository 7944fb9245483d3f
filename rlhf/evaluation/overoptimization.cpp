#include "rlhf/evaluation/overoptimization.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/fields.h"

namespace rlhf::evaluation {
namespace {

using Json = nlohmann::json;

std::optional<double> number(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::optional<Interval> interval(const Json& row, const char* value, const char* low, const char* high) {
  const auto middle = number(row, value);
  if (!middle) return std::nullopt;
  return Interval{.mean = *middle, .low = number(row, low).value_or(*middle), .high = number(row, high).value_or(*middle)};
}

/// Collects the findings on one observation, `now`, against the start and what came between.
class Findings {
 public:
  Findings(std::span<const Observation> seen, const OveroptimizationConfig& config)
      : seen_(seen), start_(seen.front()), now_(seen.back()), config_(config) {}

  std::vector<Finding> all() {
    if (seen_.size() > 1) {
      variety();
      fluency();
      rise("repetition_rose", "Runs of words repeated within a completion", now_.repetition, start_.repetition, config_.repetition_limit);
      rise("duplicates_rose", "Completions that equal another one", now_.duplicates, start_.duplicates, config_.duplicates_limit);
      gold_against_learned();
      gold_against_judge();
      entropy();
      flat();
    }
    distance();
    std::stable_partition(found_.begin(), found_.end(), [](const Finding& finding) { return finding.serious; });
    return std::move(found_);
  }

 private:
  void add(const char* code, bool serious, std::string text) {
    found_.push_back({.code = code, .serious = serious, .step = now_.step, .text = std::move(text)});
  }

  void variety() {
    if (!now_.distinct_2 || !start_.distinct_2 || *start_.distinct_2 <= 0.0) return;
    const double share = *now_.distinct_2 / *start_.distinct_2;
    if (share >= config_.distinct_warning) return;
    add("distinct_2_fell", share < config_.distinct_limit,
        fmt::format("Distinct word pairs fell from {:.2f} to {:.2f}: the completions are becoming alike.", *start_.distinct_2, *now_.distinct_2));
  }

  void fluency() {
    if (!now_.perplexity || !start_.perplexity || *start_.perplexity <= 0.0) return;
    const double ratio = *now_.perplexity / *start_.perplexity;
    const auto text = [&](const char* meaning) {
      return fmt::format("The start model's perplexity on the completions went from {:.1f} to {:.1f}: {}.", *start_.perplexity, *now_.perplexity, meaning);
    };
    if (ratio > config_.perplexity_warning) {
      add("perplexity_rose", ratio > config_.perplexity_limit, text("they are leaving the language the model knew"));
    } else if (ratio < 1.0 / config_.perplexity_warning) {
      add("perplexity_fell", ratio < 1.0 / config_.perplexity_limit, text("they are becoming stock phrases"));
    }
  }

  void rise(const char* code, const char* what, std::optional<double> now, std::optional<double> start, double limit) {
    if (now && start && *now - *start > limit) {
      add(code, true, fmt::format("{} rose from {:.0f}% to {:.0f}%.", what, 100.0 * *start, 100.0 * *now));
    }
  }

  void gold_against_learned() {
    const Observation* peak = nullptr;
    for (const auto& one : seen_) {
      if (one.gold && (peak == nullptr || one.gold->mean > peak->gold->mean)) peak = &one;
    }
    if (peak == nullptr || peak == &now_ || !now_.gold || !now_.learned || !peak->learned) return;
    if (*now_.learned <= *peak->learned || now_.gold->high >= peak->gold->mean) return;
    add("gold_fell_while_learned_rose", now_.gold->high < peak->gold->low,
        fmt::format("Since step {} the learned reward rose from {:.2f} to {:.2f} while gold fell from {:.2f} to {:.2f}.", peak->step,
                    *peak->learned, *now_.learned, peak->gold->mean, now_.gold->mean));
  }

  void gold_against_judge() {
    if (!now_.gold || !start_.gold || !now_.judge || !start_.judge) return;
    if (now_.gold->low <= start_.gold->high || *now_.judge >= *start_.judge) return;
    add("judge_disagrees", false,
        fmt::format("Gold rose, but the second judge went from {:.2f} to {:.2f}.", *start_.judge, *now_.judge));
  }

  void entropy() {
    if (!now_.entropy || !start_.entropy || *start_.entropy <= 0.0) return;
    if (*now_.entropy >= config_.entropy_warning * *start_.entropy) return;
    add("entropy_collapsed", false,
        fmt::format("Entropy fell from {:.2f} to {:.2f} nats a token: the policy has all but stopped exploring.", *start_.entropy, *now_.entropy));
  }

  void flat() {
    for (const auto& one : seen_) {
      if (!one.learned || !start_.learned || std::abs(*one.learned - *start_.learned) > config_.flat) return;
    }
    add("reward_flat", false, "The learned reward never moved: look at the learning rate, the reward's spread and the KL coefficient.");
  }

  void distance() {
    for (const auto& one : seen_) {
      if (!one.kl || *one.kl >= config_.kl_negative) continue;
      found_.push_back({.code = "kl_negative", .serious = false, .step = one.step,
                        .text = fmt::format("The KL estimate was {:.2f} at step {}; a KL cannot be negative, so policy and start are not scored alike.", *one.kl, one.step)});
      break;
    }
    if (now_.kl && *now_.kl > config_.kl_per_sample) {
      add("kl_high", false, fmt::format("The policy is {:.0f} nats a completion away from the start.", *now_.kl));
    }
  }

  std::span<const Observation> seen_;
  const Observation& start_;
  const Observation& now_;
  const OveroptimizationConfig& config_;
  std::vector<Finding> found_;
};

bool serious(const std::vector<Finding>& findings) { return !findings.empty() && findings.front().serious; }

Outcome outcome_of(const Observation& start, const Observation& now) {
  if (now.win) return now.win->low > 0.5 ? Outcome::improved : now.win->high < 0.5 ? Outcome::worse : Outcome::unchanged;
  if (!now.gold || !start.gold) return Outcome::unchanged;
  if (now.gold->low > start.gold->high) return Outcome::improved;
  return now.gold->high < start.gold->low ? Outcome::worse : Outcome::unchanged;
}

std::string headline_of(Outcome outcome, const Observation& start, const Observation& now) {
  std::string text;
  switch (outcome) {
    case Outcome::improved: text = "Better than the start"; break;
    case Outcome::unchanged: text = "No difference from the start that this evaluation could show"; break;
    case Outcome::worse: text = "Worse than the start"; break;
    case Outcome::overoptimized: text = "Over-optimised: the score no longer means what it meant"; break;
  }
  if (now.gold && start.gold) text += fmt::format(". Gold went from {:.2f} to {:.2f}", start.gold->mean, now.gold->mean);
  if (now.win && &now != &start) text += fmt::format(", preferred in {:.0f}% of comparisons", 100.0 * now.win->mean);
  if (!now.gold) text += ". No gold score was measured";
  return text + ".";
}

/// The highest gold among the observations that would raise no serious finding if the run had ended there.
std::optional<std::int64_t> best_step_of(std::span<const Observation> seen, const OveroptimizationConfig& config) {
  std::optional<std::int64_t> best;
  double highest = -INFINITY;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i].gold || seen[i].gold->mean <= highest || serious(Findings(seen.first(i + 1), config).all())) continue;
    highest = seen[i].gold->mean;
    best = seen[i].step;
  }
  return best;
}

}  // namespace

Observation Observation::from_row(const Json& row) {
  return {.step = row.value("step", std::int64_t{0}),
          .gold = interval(row, "gold", "gold_low", "gold_high"),
          .win = interval(row, "win_rate", "win_low", "win_high"),
          .judge = number(row, "judge"),
          .learned = number(row, "learned"),
          .kl = number(row, "kl"),
          .entropy = number(row, "entropy"),
          .distinct_2 = number(row, "distinct_2"),
          .repetition = number(row, "repetition"),
          .duplicates = number(row, "duplicates"),
          .perplexity = number(row, "perplexity")};
}

void OveroptimizationConfig::fields(Fields& f) {
  f.field("distinct_limit", distinct_limit, "over-optimised below this share of the start's distinct-2");
  f.field("distinct_warning", distinct_warning, "warn below this share of the start's distinct-2");
  f.field("perplexity_limit", perplexity_limit, "over-optimised above this multiple of the start's perplexity, or below 1 over it");
  f.field("perplexity_warning", perplexity_warning, "warn above this multiple, or below 1 over it");
  f.field("repetition_limit", repetition_limit, "over-optimised when repetition rises by more than this (0..1)");
  f.field("duplicates_limit", duplicates_limit, "over-optimised when duplicates rise by more than this (0..1)");
  f.field("kl_per_sample", kl_per_sample, "nats per completion; warn above");
  f.field("kl_negative", kl_negative, "nats per completion; warn below");
  f.field("entropy_warning", entropy_warning, "warn below this share of the start's entropy");
  f.field("flat", flat, "a learned score that never moved by more than this is flat");
}

void OveroptimizationConfig::validate() const {
  const auto fail = [](const char* where, std::string what) {
    throw Error({.category = Category::usage, .where = where, .what = std::move(what), .fix = "A warning comes before its limit."});
  };
  if (distinct_limit > distinct_warning) fail("distinct_limit", fmt::format("{} is above distinct_warning {}", distinct_limit, distinct_warning));
  if (perplexity_warning < 1.0) fail("perplexity_warning", fmt::format("{} is below 1", perplexity_warning));
  if (perplexity_limit < perplexity_warning) fail("perplexity_limit", fmt::format("{} is below perplexity_warning {}", perplexity_limit, perplexity_warning));
}

std::string name(Outcome outcome) {
  switch (outcome) {
    case Outcome::improved: return "improved";
    case Outcome::unchanged: return "unchanged";
    case Outcome::worse: return "worse";
    case Outcome::overoptimized: return "overoptimized";
  }
  return "";
}

Json Verdict::to_json() const {
  Json result = {{"outcome", name(outcome)}, {"headline", headline}, {"findings", Json::array()}};
  for (const auto& finding : findings) {
    result["findings"].push_back({{"code", finding.code}, {"serious", finding.serious}, {"step", finding.step}, {"text", finding.text}});
  }
  if (best_step) result["best_step"] = *best_step;
  return result;
}

Verdict judge_run(std::span<const Observation> observations, const OveroptimizationConfig& config) {
  config.validate();
  if (observations.empty()) {
    throw Error({.category = Category::bad_data, .where = "evaluation.verdict", .what = "the run was never evaluated", .fix = "Run `rlhf evaluate` on it."});
  }
  const auto& start = observations.front();
  const auto& now = observations.back();
  Verdict verdict{.outcome = outcome_of(start, now), .headline = {}, .findings = Findings(observations, config).all(), .best_step = {}};
  if (serious(verdict.findings)) verdict.outcome = Outcome::overoptimized;
  verdict.headline = headline_of(verdict.outcome, start, now);
  verdict.best_step = best_step_of(observations, config);
  return verdict;
}

}  // namespace rlhf::evaluation
