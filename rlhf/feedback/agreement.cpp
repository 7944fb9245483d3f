#include "rlhf/feedback/agreement.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rlhf/feedback/judgements.h"

namespace rlhf::feedback {
namespace {

const Comparison* comparison_of(const Event& event) {
  const auto* said = std::get_if<Comparison>(&std::get<Answer>(event.body).said);
  return said && !said->incomparable ? said : nullptr;
}

std::vector<double> gold_of(const Question& question, const GoldFn& gold) {
  std::vector<double> values;
  for (const auto& item : question.items) values.push_back(gold(question.prompt.text, item.text));
  return values;
}

}  // namespace

Agreement agreement_with_gold(const Store& store, const GoldFn& gold) {
  Agreement agreement;
  each_judgement(store, -1, [&](const Question& question, const Event& event) {
    const auto* said = comparison_of(event);
    if (!said || said->tie) return;
    const auto values = gold_of(question, gold);
    const auto [worst, best] = std::minmax_element(values.begin(), values.end());
    if (*worst == *best) return;
    ++agreement.judged;
    agreement.agreed += values[static_cast<std::size_t>(said->best)] == *best ? 1 : 0;
  });
  return agreement;
}

Agreement agreement_between_annotators(const Store& store) {
  std::map<std::string, std::vector<std::int64_t>> choices;  // by question; -1 = tie
  each_judgement(store, -1, [&](const Question& question, const Event& event) {
    if (const auto* said = comparison_of(event)) choices[question.id].push_back(said->tie ? -1 : said->best);
  });
  Agreement agreement;
  for (const auto& [question, chosen] : choices) {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      for (std::size_t j = i + 1; j < chosen.size(); ++j) {
        ++agreement.judged;
        agreement.agreed += chosen[i] == chosen[j] ? 1 : 0;
      }
    }
  }
  return agreement;
}

}  // namespace rlhf::feedback
