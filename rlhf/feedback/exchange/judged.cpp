#include "rlhf/feedback/exchange/judged.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "rlhf/core/files.h"
#include "rlhf/feedback/statistics/consensus.h"

namespace rlhf::feedback::exchange {
namespace {

template <class Value>
bool listed(const std::vector<Value>& names, const Value& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

/// Why a question is not wanted; nullptr where it is.
const char* unwanted(const Choice& choice, const Question& question) {
  if (!choice.tests && (question.gold || !question.round.empty()))
    return "test questions and qualification rounds (questions)";
  if (choice.split && *choice.split != question.split) return "the other side of the split (questions)";
  for (const auto& item : question.items)
    if (item.policy_version < choice.oldest_policy || item.policy_version > choice.newest_policy)
      return "other policy versions (questions)";
  return nullptr;
}

/// Why an answer is not wanted; nullptr where it is.
const char* unwanted(const Choice& choice, const Event& event) {
  if (!listed(choice.annotators, event.annotator.name)) return "answers of other annotators";
  if (!listed(choice.sources, event.annotator.source)) return "answers of other sources";
  if (!listed(choice.guidelines, event.guideline)) return "answers under other guidelines";
  const auto* said = std::get_if<Comparison>(&std::get<Answer>(event.body).said);
  return !choice.ties && said && said->tie ? "ties" : nullptr;
}

/// One comparison that says what most said. Nothing where no answer compares.
std::vector<Event> consensus_of(const std::vector<Event>& answers) {
  std::vector<int> votes;
  for (const auto& each : answers) {
    const auto* said = std::get_if<Comparison>(&std::get<Answer>(each.body).said);
    if (said && !said->incomparable) votes.push_back(said->tie ? -1 : static_cast<int>(said->best));
  }
  const auto most = statistics::majority(votes);
  if (!most) return {};
  Event event = answers.front();
  const bool tie = most->tied || most->category < 0;
  event.body = Answer{Comparison{.best = tie ? 0 : most->category, .tie = tie}};
  event.annotator = {"consensus", event.annotator.source};
  return {event};
}

}  // namespace

void Report::leave_out(const std::string& reason, const std::string& where, std::int64_t count) {
  left_out[reason] += count;
  if (!where.empty() && examples.size() < 10) examples.push_back(where + ": " + reason);
}

std::string pseudonym(const std::string& name, const std::string& key) {
  return "annotator-" + sha256(key + "\n" + name).substr(0, 12);
}

std::vector<Event> all_events(const Store& store) {
  std::vector<Event> all;
  for (;;) {
    auto more = store.read(all.empty() ? 0 : all.back().sequence, 1000);
    if (more.empty()) return all;
    for (auto& each : more) all.push_back(std::move(each));
  }
}

std::vector<Judged> judged(std::span<const Event> events, const Choice& choice, Report& report) {
  std::set<std::int64_t> gone;
  for (const auto& each : events) {
    if (const auto* undo = std::get_if<Undo>(&each.body)) gone.insert(undo->answer);
    if (each.revises > 0) gone.insert(each.revises);
  }
  std::vector<Judged> found;
  std::unordered_map<std::string, std::size_t> place;
  for (const auto& each : events) {
    if (const auto* question = std::get_if<Question>(&each.body)) {
      if (const char* reason = unwanted(choice, *question)) {
        report.leave_out(reason);
        continue;
      }
      place.emplace(each.question, found.size());
      found.push_back({*question, {}});
    }
    const auto asked = place.find(each.question);
    if (!std::holds_alternative<Answer>(each.body) || asked == place.end()) continue;
    if (gone.contains(each.sequence))
      report.leave_out("answers that were taken back or revised");
    else if (const char* reason = unwanted(choice, each))
      report.leave_out(reason);
    else
      found[asked->second].answers.push_back(each);
  }
  for (auto& each : found) {
    if (choice.consensus && !each.answers.empty()) each.answers = consensus_of(each.answers);
    for (auto& answer : each.answers)
      if (!choice.pseudonym_key.empty()) answer.annotator.name = pseudonym(answer.annotator.name, choice.pseudonym_key);
  }
  return found;
}

}  // namespace rlhf::feedback::exchange
