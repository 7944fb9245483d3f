#include "recipes/recursive_reward_modeling/people.h"

#include <fmt/format.h>

#include <algorithm>

#include "rlhf/feedback/judgements.h"
#include "rlhf/feedback/server_address.h"

namespace rlhf::recipes {
namespace {

constexpr const char* key = "people";  // of the metadata of a question: {"seed", "help"}

std::string briefing(const environments::HazardMapConfig& map) {
  return fmt::format(
      "Two ways across a map, from the bottom left to the top right corner. Which one is worth more? A way is worth 20 "
      "points, less 1 for each move beyond {} and less 5 for each hazard that it crosses. {} of the {} cells have a "
      "hazard, most of them in one kind of terrain. A hint opens a cell and says what is there.",
      2 * (map.side - 1), map.hazards, map.side * map.side);
}

/// Which pairs a person is helped with: half of them.
std::vector<bool> helped_with(std::size_t pairs, std::size_t person, std::uint64_t seed) {
  Random random(derive(seed, {hash("help"), person / 2}));
  const auto lots = random.permutation(static_cast<std::int64_t>(pairs));
  std::vector<bool> helped(pairs);
  for (std::size_t i = 0; i < pairs; ++i)
    helped[static_cast<std::size_t>(lots[i])] = (i < pairs / 2) == (person % 2 == 0);
  return helped;
}

bool decided(const feedback::Comparison& said) { return !said.tie && !said.incomparable; }

/// One answer about a question of people_questions.
evaluation::AidedJudgement judgement_of(const feedback::Question& question, const feedback::Answer& answer) {
  const auto& said = std::get<feedback::Comparison>(answer.said);
  const auto& truth = question.metadata.at("shown").at("truth");
  const bool first = truth.at(0).get<double>() > truth.at(1).get<double>();
  evaluation::AidedJudgement judged{.pair = question.prompt.id,
                                    .aided = !feedback::helper_of(question)->name.empty(),
                                    .right = decided(said) && (said.best == 0) == first,
                                    .seconds = answer.active_seconds};
  const double help = question.metadata.at(key).at("help");
  if (help != 0) judged.help_right = (help > 0) == first;
  return judged;
}

std::int64_t opened_in(const feedback::Answer& answer) {
  const auto found = answer.details.find("hints");
  return found == answer.details.end() ? 0 : std::get<feedback::HintJudgement>(found->second).opened;
}

std::int64_t settled(const feedback::Store& store, const std::vector<feedback::Question>& questions) {
  return std::count_if(questions.begin(), questions.end(),
                       [&](const auto& question) { return !store.answers_to(question.id).empty(); });
}

/// False when asked to stop.
bool wait_for_people(const feedback::Store& store, const std::vector<feedback::Question>& questions,
                     const RecursiveConfig& config, Run& part) {
  const auto page = feedback::server_address(store.location());
  part.note(fmt::format("waiting for people: {} judge {} pairs each. They answer at {}",
                        fmt::join(config.people.names, ", "), config.people.pairs,
                        page.empty() ? "the page of `rlhf collect " + store.location() + "`" : page));
  auto seen = store.latest();
  auto done = settled(store, questions);
  part.progress().start("judgements", std::ssize(questions), done);
  while (done < std::ssize(questions)) {
    if (part.stop_requested()) return false;
    if (!store.wait(seen, std::chrono::seconds(1))) continue;
    seen = store.latest();
    part.progress().set(done = settled(store, questions));
  }
  part.progress().finish();
  return true;
}

nlohmann::json to_json(const PersonReport& report) {
  auto json = evaluation::to_json(report.assistance);
  json["judgements"] = report.judgements;
  json["undecided"] = report.undecided;
  json["opened"] = report.opened;
  return json;
}

/// The numbers of a report under plain names; those that were not measured are left out.
nlohmann::json numbers_of(const PersonReport& report) {
  const auto& assistance = report.assistance;
  nlohmann::json numbers = {{"judgements", report.judgements},
                            {"undecided", report.undecided},
                            {"opened", report.opened},
                            {"flipped", assistance.flipped}};
  if (assistance.unaided) numbers["unaided_accuracy"] = assistance.unaided->value;
  if (assistance.aided) numbers["aided_accuracy"] = assistance.aided->value;
  if (assistance.difference) {
    numbers["uplift"] = assistance.difference->value;
    numbers["uplift_low"] = assistance.difference->low;
    numbers["uplift_high"] = assistance.difference->high;
  }
  if (assistance.over_reliance) numbers["over_reliance"] = *assistance.over_reliance;
  if (assistance.unaided_seconds) numbers["unaided_seconds"] = *assistance.unaided_seconds;
  if (assistance.aided_seconds) numbers["aided_seconds"] = *assistance.aided_seconds;
  return numbers;
}

}  // namespace

std::vector<feedback::Question> people_questions(const std::vector<OutputPair>& pairs, const Condition& aided,
                                                 const Condition& unaided, const RecursiveConfig& config,
                                                 double fault_cost, const std::string& briefing) {
  std::vector<feedback::Question> questions;
  for (std::size_t person = 0; person < config.people.names.size(); ++person) {
    const auto& name = config.people.names[person];
    const auto helped = helped_with(pairs.size(), person, config.seed);
    Random random(derive(config.seed, {hash("order"), person}));
    for (const auto index : random.permutation(std::ssize(pairs))) {
      const auto i = static_cast<std::size_t>(index);
      const auto id = fmt::format("pair-{}", i);
      const auto asked = [&](const Condition& condition) {
        return question_of("people", id, pairs[i].first, pairs[i].second, condition, config.seed);
      };
      const auto help = asked(aided);
      auto question = helped[i] ? help : asked(unaided);
      question.id = fmt::format("people-{}/{}/{}", config.seed, name, id);  // says nothing of help: the page knows it
      question.prompt.text = briefing;
      question.reserved_for = name;
      question.metadata[key] = {{"seed", config.seed}, {"help", shown_difference(help, fault_cost)}};
      questions.push_back(std::move(question));
    }
  }
  return questions;
}

std::map<std::string, PersonReport> people_reports(const feedback::Store& store, std::uint64_t seed) {
  struct Judged {
    std::vector<evaluation::AidedJudgement> judgements;
    std::int64_t undecided = 0, opened = 0, offered = 0;
  };
  std::map<std::string, Judged> judged;
  feedback::each_judgement(store, -1, [&](const feedback::Question& question, const feedback::Event& event) {
    if (!question.metadata.is_object() || !question.metadata.contains(key)) return;
    if (question.metadata.at(key).at("seed") != seed) return;
    const auto& answer = std::get<feedback::Answer>(event.body);
    for (auto* one : {&judged[event.annotator.name], &judged["everybody"]}) {
      one->judgements.push_back(judgement_of(question, answer));
      one->undecided += !decided(std::get<feedback::Comparison>(answer.said));
      one->opened += opened_in(answer);
      one->offered += std::ssize(question.hints);
    }
  });
  std::map<std::string, PersonReport> reports;
  for (const auto& [name, one] : judged) {
    const auto offered = std::max<std::int64_t>(1, one.offered);
    reports[name] = {.assistance = evaluation::assistance_report(one.judgements),
                     .judgements = std::ssize(one.judgements),
                     .undecided = one.undecided,
                     .opened = static_cast<double>(one.opened) / static_cast<double>(offered)};
  }
  return reports;
}

std::optional<nlohmann::json> ask_people(const Subject& subject, const RecursiveConfig& config, Run& part) {
  auto training = store_of(part);
  const auto finder = trained_finder(subject, config, training, part);
  if (!finder) return std::nullopt;
  auto pairs = heldout_pairs(heldout_outputs(subject, config), config);
  pairs.resize(std::min(pairs.size(), static_cast<std::size_t>(config.people.pairs)));
  const auto questions = people_questions(pairs, condition_of("helper", subject, config, &*finder),
                                          condition_of("alone", subject, config, nullptr), config,
                                          subject.fault_cost(), briefing(config.map));
  auto store = config.people.store.empty() ? feedback::Store::open((part.folder() / "people.db").string())
                                           : feedback::Store::open(config.people.store);
  store.publish(questions);
  if (!wait_for_people(store, questions, config, part)) return std::nullopt;
  const auto reports = people_reports(store, config.seed);
  nlohmann::json all;
  for (const auto& [name, report] : reports) all[name] = to_json(report);
  part.write_file("people.json", all.dump(2) + "\n");
  const auto everybody = reports.find("everybody");
  return everybody == reports.end() ? nlohmann::json::object() : numbers_of(everybody->second);
}

}  // namespace rlhf::recipes
