#include "rlhf/feedback/assisted.h"

#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/feedback/judgements.h"

namespace rlhf::feedback {
namespace {

constexpr const char* key = "assistance";

/// The built-in form with another number of hints to open; it is then written whole, under a name of its own.
Form form_with(std::int64_t budget) {
  auto form = builtin_form("hinted_comparison");
  for (auto& part : form.parts) {
    if (part.ask != Ask::judge_hints || part.most == budget) continue;
    part.most = static_cast<int>(budget);
    form.name = "hinted_comparison_" + std::to_string(budget);
  }
  return form;
}

const HintJudgement* hints_of(const Answer& answer) {
  for (const auto& [part, said] : answer.details)
    if (const auto* hints = std::get_if<HintJudgement>(&said)) return hints;
  return nullptr;
}

}  // namespace

void give_help(Question& question, std::string pair, const Helper& helper, std::vector<Hint> hints,
               std::int64_t budget) {
  if (budget < 0 || budget > std::ssize(hints))
    throw Error({.category = Category::usage,
                 .where = "help with question " + question.id,
                 .what = "a budget of " + std::to_string(budget) + " for " + std::to_string(hints.size()) + " hints",
                 .fix = "Give a budget from 0 to the number of hints."});
  if (budget > 0) question.form = form_with(budget);
  question.hints = std::move(hints);
  if (!question.metadata.is_object()) question.metadata = nlohmann::json::object();
  question.metadata[key] = {
      {"pair", std::move(pair)}, {"helper", helper.name}, {"version", helper.version}, {"budget", budget}};
}

std::optional<Helper> helper_of(const Question& question) {
  if (!question.metadata.is_object() || !question.metadata.contains(key)) return std::nullopt;
  const auto& record = question.metadata.at(key);
  return Helper{.name = record.at("helper"), .version = record.at("version")};
}

bool counts(const Question& question, const std::function<bool(const Helper&)>& keep) {
  const auto helper = helper_of(question);
  return !helper || helper->name.empty() || keep(*helper);
}

std::vector<AssistedAnswer> read_assisted(const Store& store, std::int64_t until) {
  std::vector<AssistedAnswer> all;
  each_judgement(store, until, [&](const Question& question, const Event& event) {
    const auto helper = helper_of(question);
    const auto& answer = std::get<Answer>(event.body);
    const auto* said = std::get_if<Comparison>(&answer.said);
    if (!helper || !said) return;
    const auto& record = question.metadata.at(key);
    AssistedAnswer one{.question = question.id,
                       .pair = record.at("pair"),
                       .helper = *helper,
                       .annotator = event.annotator.name,
                       .offered = record.at("budget"),
                       .said = *said,
                       .confidence = answer.confidence,
                       .active_seconds = answer.active_seconds};
    if (const auto* hints = hints_of(answer)) {
      one.opened = hints->opened;
      one.wrong = hints->wrong;
    }
    all.push_back(std::move(one));
  });
  return all;
}

}  // namespace rlhf::feedback
