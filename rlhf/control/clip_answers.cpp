#include "rlhf/control/clip_answers.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <fstream>

#include "rlhf/core/error.h"
#include "rlhf/feedback/collect.h"
#include "rlhf/feedback/server_address.h"

namespace rlhf::control {
namespace {

constexpr double enough_to_begin = 0.75;  // of the first labels, where people give them

std::map<std::int64_t, std::int64_t> read_journal(const std::filesystem::path& file) {
  std::map<std::int64_t, std::int64_t> journal;
  std::ifstream rows(file);
  for (std::string row; std::getline(rows, row);) {
    const auto record = nlohmann::json::parse(row, nullptr, false);
    if (record.is_object()) journal[record.at("rollout")] = record.at("cursor");  // a row cut short was not used
  }
  return journal;
}

/// Question and comparison of each answer after `after`, by sequence number; without those that were taken back.
std::map<std::int64_t, std::pair<std::string, feedback::Comparison>> said_in(feedback::Store& store, std::int64_t after,
                                                                             std::int64_t until) {
  std::map<std::int64_t, std::pair<std::string, feedback::Comparison>> said;
  for (auto at = after; at < until;) {
    const auto events = store.read(at, std::min<std::int64_t>(1000, until - at));
    if (events.empty()) break;
    for (const auto& event : events) {
      at = event.sequence;
      if (event.sequence > until) break;
      if (const auto* undo = std::get_if<feedback::Undo>(&event.body)) said.erase(undo->answer);
      const auto* answer = std::get_if<feedback::Answer>(&event.body);
      if (!answer) continue;
      said.erase(event.revises);
      const auto* comparison = std::get_if<feedback::Comparison>(&answer->said);
      if (comparison && !comparison->incomparable) said[event.sequence] = {event.question, *comparison};
    }
  }
  return said;
}

}  // namespace

ClipAnswers::ClipAnswers(feedback::Store& store, environments::Environment& replayer, RewardInputs inputs,
                         const PreferenceConfig& config, Run& run)
    : store_(store),
      replayer_(replayer),
      inputs_(std::move(inputs)),
      people_(config.people),
      teacher_(make_teacher(config.teacher)),
      run_(run),
      journal_(read_journal(run.folder() / "labels.jsonl")) {}

std::vector<ClipComparison> ClipAnswers::take(std::int64_t index, std::int64_t asked, std::int64_t autolabels) {
  return read(until(index, autolabels + std::llround(enough_to_begin * static_cast<double>(asked))));
}

/// The store's entries that this rollout's fit may read. A resumed run reads what it read the first time.
std::int64_t ClipAnswers::until(std::int64_t index, std::int64_t first_wanted) {
  if (const auto known = journal_.find(index); known != journal_.end()) return known->second;
  if (people_) {
    if (index == before_training) wait_for_people(first_wanted);
  } else {
    const feedback::CollectOptions collect;  // to the end, even if asked to stop: the fit is made from all of them
    store_.release_all(collect.annotator);
    feedback::answer_all(store_, *teacher_, collect);
  }
  const auto cursor = store_.latest();
  journal_[index] = cursor;
  std::ofstream(run_.folder() / "labels.jsonl", std::ios::app)
      << nlohmann::json{{"rollout", index}, {"cursor", cursor}}.dump() << std::endl;
  return cursor;
}

void ClipAnswers::wait_for_people(std::int64_t wanted) {
  const auto page = feedback::server_address(store_.location());
  run_.note(fmt::format("waiting for people: {} answers are wanted first. They answer at {}", wanted,
                        page.empty() ? "the page of `rlhf collect " + store_.location() + "`" : page));
  run_.progress().start("labels", wanted, store_.counts().answers);
  for (auto answered = store_.counts().answers; answered < wanted; answered = store_.counts().answers) {
    if (run_.stop_requested())
      throw Error({.category = Category::failure,
                   .where = "labels",
                   .what = fmt::format("stopped while {} of {} first answers were there", answered, wanted),
                   .fix = "Run it again with --resume once people have answered."});
    run_.progress().set(answered);
    store_.wait(store_.latest(), std::chrono::seconds(1));
  }
  run_.progress().finish();
}

std::vector<ClipComparison> ClipAnswers::read(std::int64_t until) {
  std::vector<ClipComparison> result;
  for (const auto& [sequence, one] : said_in(store_, cursor_, until)) {
    const auto question = store_.question(one.first);
    const auto clip = [&](std::size_t item) {
      return inputs_.of(replayer_, data::segment_from_json(question->items.at(item).segment, question->id));
    };
    const double preferred = one.second.tie ? 0.5 : one.second.best == 0 ? 1.0 : 0.0;
    result.push_back({.first = clip(0), .second = clip(1), .preferred = preferred});
  }
  cursor_ = std::max(cursor_, until);
  return result;
}

std::vector<ClipComparison> ClipAnswers::restore(const nlohmann::json& record) {
  std::vector<ClipComparison> all;
  const std::int64_t cursor = record.at("cursor");
  for (const auto& [index, until] : journal_) {
    if (until > cursor) break;
    for (auto& comparison : read(until)) all.push_back(std::move(comparison));
  }
  return all;
}

}  // namespace rlhf::control
