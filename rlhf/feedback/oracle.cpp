#include "rlhf/feedback/oracle.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::feedback {
namespace {

void require(bool holds, std::string where, std::string what) {
  if (!holds) throw Error({.category = Category::usage, .where = std::move(where), .what = std::move(what), .fix = ""});
}

std::int64_t best_of(const std::vector<double>& gold, Random& random) {
  const double best = *std::max_element(gold.begin(), gold.end());
  std::vector<std::int64_t> winners;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    if (gold[i] == best) winners.push_back(static_cast<std::int64_t>(i));
  }
  return winners[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(winners.size())))];
}

/// Item i with probability exp(rationality * gold_i) / sum.
std::int64_t boltzmann(const std::vector<double>& gold, double rationality, Random& random) {
  const double best = *std::max_element(gold.begin(), gold.end());
  std::vector<double> weights;
  double sum = 0.0;
  for (const double value : gold) sum += weights.emplace_back(std::exp(rationality * (value - best)));
  double left = random.uniform() * sum;
  for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
    left -= weights[i];
    if (left < 0) return static_cast<std::int64_t>(i);
  }
  return static_cast<std::int64_t>(weights.size()) - 1;
}

class Oracle final : public Labeler {
 public:
  Oracle(GoldFn gold, OracleConfig config) : gold_(std::move(gold)), config_(config) { config_.validate(); }

  Answer answer(const Question& question) override {
    validate(question);
    const auto gold = judge(question);
    Random random(derive(config_.seed, {hash("feedback/oracle"), hash(question.id)}));
    Answer answer;
    for (const auto& part : question.form.parts) {
      const bool first = &part == &question.form.parts.front();
      const auto said = say(part, gold, random);
      if (!said && (first || part.required))
        return Feedback(Skip{"a simulated labeler does not " + std::string(ask_name(part.ask))});
      if (said && first) answer.said = *said;
      if (said && !first) answer.details.emplace(part.name, *said);
    }
    return answer;
  }

 private:
  std::optional<Feedback> say(const Part& part, const std::vector<double>& gold, Random& random) const {
    switch (part.ask) {
      case Ask::compare:
        return compare(part, gold, random);
      case Ask::rank:
        return rank(part, gold);
      case Ask::rate:
        return rate(part, gold);
      default:
        return std::nullopt;
    }
  }

  Feedback compare(const Part& part, const std::vector<double>& gold, Random& random) const {
    // The draw is made in any case, so that another error rate changes only the answers it has to.
    const bool mistaken = random.uniform() < config_.error_rate;
    if (mistaken) return Comparison{.best = random.below(static_cast<std::int64_t>(gold.size()))};
    const bool may_tie = gold.size() == 2 && part.allow_tie && config_.tie_threshold > 0;
    if (may_tie && std::abs(gold[0] - gold[1]) <= config_.tie_threshold) return Comparison{.best = 0, .tie = true};
    return Comparison{.best =
                          config_.rationality ? boltzmann(gold, *config_.rationality, random) : best_of(gold, random)};
  }

  /// By gold, best first; what differs by at most the tie threshold from the best of a group is tied with it.
  Feedback rank(const Part& part, const std::vector<double>& gold) const {
    std::vector<int> order(gold.size());
    std::iota(order.begin(), order.end(), 0);
    const auto value = [&](int item) { return gold[static_cast<std::size_t>(item)]; };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return value(a) > value(b); });
    Ranking said;
    for (const int item : order) {
      const bool tied = part.allow_tie && !said.groups.empty() &&
                        value(said.groups.back().front()) - value(item) <= config_.tie_threshold;
      if (tied)
        said.groups.back().push_back(item);
      else
        said.groups.push_back({item});
    }
    return said;
  }

  Feedback rate(const Part& part, const std::vector<double>& gold) const {
    Rating said;
    for (std::size_t item = 0; item < gold.size(); ++item) {
      for (const auto& axis : part.axes)
        said.values.push_back({static_cast<int>(item), axis.name, std::clamp(gold[item], axis.low, axis.high)});
    }
    return said;
  }

  std::vector<double> judge(const Question& question) const {
    std::vector<double> gold;
    for (const auto& item : question.items) {
      gold.push_back(gold_(question.prompt.text, item.text));
      if (std::isfinite(gold.back())) continue;
      throw Error({.category = Category::failure,
                   .where = "question " + question.id,
                   .what = "the gold function gave " + std::to_string(gold.back()) + "; a finite number was expected",
                   .fix = ""});
    }
    return gold;
  }

  GoldFn gold_;
  OracleConfig config_;
};

}  // namespace

void OracleConfig::fields(Fields& f) {
  f.field("error_rate", error_rate, "share of answers that are a random pick instead, 0..1");
  f.field("rationality", rationality,
          "picks item i with probability ~ exp(rationality * gold); unset = always the best");
  f.field("tie_threshold", tie_threshold,
          "pairs that allow ties: a tie when the gold values differ by at most this; 0 = never");
  f.field("seed", seed, "of mistakes and of the order among equals");
}

void OracleConfig::validate() const {
  require(error_rate >= 0 && error_rate <= 1, "error_rate",
          "it is " + std::to_string(error_rate) + "; a share from 0 to 1 was expected");
  require(!rationality || (std::isfinite(*rationality) && *rationality >= 0), "rationality",
          "a finite number from 0 was expected");
  require(tie_threshold >= 0, "tie_threshold",
          "it is " + std::to_string(tie_threshold) + "; a number from 0 was expected");
}

std::unique_ptr<Labeler> make_oracle(GoldFn gold, OracleConfig config) {
  return std::make_unique<Oracle>(std::move(gold), config);
}

}  // namespace rlhf::feedback
