#include "rlhf/feedback/gold.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "rlhf/core/error.h"

namespace rlhf::feedback {
namespace {

bool equal(const Comparison& said, const Comparison& gold) {
  if (said.incomparable != gold.incomparable || said.tie != gold.tie || said.both_bad != gold.both_bad) return false;
  return said.tie || said.incomparable || said.best == gold.best;
}

bool equal(const Ranking& said, const Ranking& gold) {
  return std::equal(said.groups.begin(), said.groups.end(), gold.groups.begin(), gold.groups.end(),
                    [](const auto& one, const auto& other) {
                      return std::set(one.begin(), one.end()) == std::set(other.begin(), other.end());
                    });
}

bool equal(const RuleJudgement& said, const RuleJudgement& gold) {
  std::map<std::pair<int, std::string>, Verdict> verdicts;
  for (const auto& entry : said.entries) verdicts[{entry.item, entry.rule}] = entry.verdict;
  return std::all_of(gold.entries.begin(), gold.entries.end(), [&](const RuleJudgement::Entry& entry) {
    const auto found = verdicts.find({entry.item, entry.rule});
    return found != verdicts.end() && found->second == entry.verdict;
  });
}

bool equal(const EvidenceJudgement& said, const EvidenceJudgement& gold) {
  std::map<int, std::pair<Belief, Belief>> beliefs;
  for (const auto& entry : said.entries) beliefs[entry.item] = {entry.plausible, entry.supported};
  return std::all_of(gold.entries.begin(), gold.entries.end(), [&](const EvidenceJudgement::Entry& entry) {
    const auto found = beliefs.find(entry.item);
    return found != beliefs.end() && found->second == std::pair(entry.plausible, entry.supported);
  });
}

bool near(const Rating& said, const Rating& gold, const Part& part) {
  std::map<std::pair<int, std::string>, double> values;
  for (const auto& each : said.values) values[{each.item, each.axis}] = each.value;
  return std::all_of(gold.values.begin(), gold.values.end(), [&](const Rated& each) {
    const auto found = values.find({each.item, each.axis});
    const auto axis =
        std::find_if(part.axes.begin(), part.axes.end(), [&](const Axis& one) { return one.name == each.axis; });
    if (found == values.end() || axis == part.axes.end()) return false;
    const double slack = std::max(axis->step, (axis->high - axis->low) / 8) + 1e-9;
    return std::abs(found->second - each.value) <= slack;
  });
}

}  // namespace

bool is_right(const Answer& answer, const Question& question) {
  if (!question.gold) {
    throw Error(
        {.category = Category::usage, .where = "question " + question.id, .what = "it has no gold answer", .fix = ""});
  }
  const auto& said = answer.said;
  const auto& gold = question.gold->said;
  if (said.index() != gold.index()) return false;
  if (const auto* one = std::get_if<Comparison>(&said)) return equal(*one, std::get<Comparison>(gold));
  if (const auto* one = std::get_if<Ranking>(&said)) return equal(*one, std::get<Ranking>(gold));
  if (const auto* one = std::get_if<Rating>(&said))
    return near(*one, std::get<Rating>(gold), question.form.parts.front());
  if (const auto* one = std::get_if<RuleJudgement>(&said)) return equal(*one, std::get<RuleJudgement>(gold));
  if (const auto* one = std::get_if<EvidenceJudgement>(&said)) return equal(*one, std::get<EvidenceJudgement>(gold));
  return false;  // free texts, marks and sessions have no one right answer
}

}  // namespace rlhf::feedback
