#include "rlhf/control/clip_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>

#include "rlhf/core/error.h"
#include "rlhf/feedback/collect.h"
#include "rlhf/feedback/server_address.h"

namespace rlhf::control {
namespace {

constexpr double enough_to_begin = 0.75;  // of the first labels, where people give them

}  // namespace

std::map<std::int64_t, ClipAnswers::Entry> ClipAnswers::read_journal(const std::filesystem::path& file) {
  std::map<std::int64_t, Entry> journal;
  std::ifstream rows(file);
  for (std::string row; std::getline(rows, row);) {
    const auto record = nlohmann::json::parse(row, nullptr, false);
    if (record.is_object())  // a row cut short was not used
      journal[record.at("rollout")] = {.cursor = record.at("cursor"), .asked = record.value("asked", std::int64_t{0})};
  }
  return journal;
}

ClipAnswers::ClipAnswers(feedback::Store& store, const ClipQuestions& questions, environments::Environment& replayer,
                         RewardInputs inputs, const PreferenceConfig& config, Run& run)
    : store_(store),
      questions_(questions),
      replayer_(replayer),
      inputs_(std::move(inputs)),
      people_(config.people),
      teacher_(make_teacher(config.teacher)),
      run_(run),
      journal_(read_journal(run.folder() / "labels.jsonl")),
      answers_(store) {}

void ClipAnswers::begin(const std::function<void()>& ask_another) {
  const auto wanted = questions_.asked();
  if (const auto known = journal_.find(before_training); known != journal_.end()) {
    while (questions_.asked() < known->second.asked) ask_another();
    return;
  }
  if (people_) return wait_for_people(wanted, ask_another);
  do teach();
  while (replace_passed_over(wanted, ask_another));
}

/// One by one, so that a run that begins again asks the same, however many of them it finds passed over at once. False
/// when there is nothing to replace.
bool ClipAnswers::replace_passed_over(std::int64_t wanted, const std::function<void()>& ask_another) const {
  const auto asked = questions_.asked(), enough = std::min(wanted + passed_over(), 2 * wanted);
  for (auto i = asked; i < enough; ++i) ask_another();
  return asked < enough;
}

/// The simulated teacher answers what is open of the run's own questions, the oldest first. The store may hold others',
/// which are not for this teacher.
void ClipAnswers::teach() {
  const feedback::CollectOptions collect;
  for (const auto& left : store_.held(collect.annotator))  // by a run that was killed
    if (questions_.own(left.question.id)) store_.release(left);
  answers_.read(store_.latest());
  const auto standing = answers_.of(questions_.pairs());
  for (std::size_t i = 0; i < standing.size(); ++i) {
    if (standing[i] != QuestionState::open) continue;
    if (const auto lease = store_.lease_question(collect.annotator, questions_.pairs()[i], collect.lease))
      store_.answer(*lease, teacher_->answer(lease->question));
  }
  answers_.read(store_.latest());
}

void ClipAnswers::wait_for_people(std::int64_t wanted, const std::function<void()>& ask_another) {
  const auto page = feedback::server_address(store_.location());
  const auto enough = std::llround(enough_to_begin * static_cast<double>(wanted));
  run_.note(fmt::format("waiting for people: {} answers are wanted first. They answer at {}", enough,
                        page.empty() ? "the page of `rlhf collect " + store_.location() + "`" : page));
  answers_.read(store_.latest());
  run_.progress().start("labels", enough, count(QuestionState::answered));
  for (;;) {
    replace_passed_over(wanted, ask_another);
    const auto answered = count(QuestionState::answered);
    if (answered >= enough || count(QuestionState::open) == 0) break;
    if (run_.stop_requested())
      throw Error({.category = Category::failure,
                   .where = "labels",
                   .what = fmt::format("stopped while {} of {} first answers were there ({} pairs were passed over)",
                                       answered, enough, passed_over()),
                   .fix = "Run it again with --resume once people have answered."});
    run_.progress().set(answered);
    store_.wait(answers_.cursor(), std::chrono::seconds(1));
    answers_.read(store_.latest());
  }
  run_.progress().finish();
  if (const auto answered = count(QuestionState::answered); answered < enough)
    run_.warn(fmt::format("{} of {} first answers: all other pairs were passed over, it begins with these", answered,
                          enough));
}

/// The store's entries that this rollout's fit may read. A resumed run reads what it read the first time.
std::int64_t ClipAnswers::until(std::int64_t index) {
  if (const auto known = journal_.find(index); known != journal_.end()) return known->second.cursor;
  if (!people_) teach();
  const Entry now{.cursor = store_.latest(), .asked = questions_.asked()};
  journal_[index] = now;
  std::ofstream(run_.folder() / "labels.jsonl", std::ios::app)
      << nlohmann::json{{"rollout", index}, {"cursor", now.cursor}, {"asked", now.asked}}.dump() << std::endl;
  return now.cursor;
}

std::vector<ClipComparison> ClipAnswers::take(std::int64_t index) {
  answers_.read(until(index));
  std::vector<ClipComparison> result;
  for (const auto& [sequence, said] : answers_.said()) {
    if (!said.stands || !said.comparison || !questions_.own(said.question) || !known_.insert(sequence).second) continue;
    taken_.push_back(sequence);
    result.push_back(comparison_of(said));
  }
  return result;
}

void ClipAnswers::close() {
  if (!people_) return;
  answers_.read(store_.latest());
  const auto standing = answers_.of(questions_.pairs());
  for (std::size_t i = 0; i < standing.size(); ++i)
    if (standing[i] != QuestionState::answered)
      store_.requeue(questions_.pairs()[i], {.withdrawn = true, .reason = "the run has ended"});
}

ClipComparison ClipAnswers::comparison_of(const StandingAnswers::Said& said) const {
  const auto question = store_.question(said.question);
  const auto segment = [&](std::size_t item) {
    return data::segment_from_json(question->items.at(item).segment, question->id);
  };
  const auto first = segment(0), second = segment(1);
  return {.first = inputs_.of(replayer_, first),
          .second = inputs_.of(replayer_, second),
          .preferred = said.comparison->tie ? 0.5 : said.comparison->best == 0 ? 1.0 : 0.0,
          .returns = {{judged_return(first, 1.0), judged_return(second, 1.0)}}};
}

std::int64_t ClipAnswers::count(QuestionState standing) const {
  const auto all = answers_.of(questions_.pairs());
  return std::count(all.begin(), all.end(), standing);
}

void ClipAnswers::save(nlohmann::json& record) const {
  record["cursor"] = answers_.cursor();
  record["taken"] = taken_;
}

std::vector<ClipComparison> ClipAnswers::restore(const nlohmann::json& record) {
  answers_.read(record.at("cursor"));
  std::vector<ClipComparison> all;
  for (const std::int64_t sequence : record.at("taken")) {
    const auto found = answers_.said().find(sequence);
    if (found == answers_.said().end()) continue;
    taken_.push_back(sequence);
    known_.insert(sequence);
    all.push_back(comparison_of(found->second));
  }
  return all;
}

}  // namespace rlhf::control
