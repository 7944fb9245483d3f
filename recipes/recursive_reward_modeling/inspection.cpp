#include "recipes/recursive_reward_modeling/inspection.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <numeric>

#include "rlhf/core/error.h"
#include "rlhf/feedback/collect.h"

namespace rlhf::recipes {
namespace {

class Evaluator final : public feedback::Labeler {
 public:
  explicit Evaluator(const EvaluatorConfig& config) : config_(config) {}

  feedback::Answer answer(const feedback::Question& question) override {
    const auto& shown = question.metadata.at("shown");
    Random random(derive(config_.seed, {hash("evaluator"), hash(question.id)}));
    const bool oracle = shown.at("oracle");
    const double difference = oracle ? shown.at("truth").at(0).get<double>() - shown.at("truth").at(1).get<double>()
                                     : shown_difference(question, config_.fault_cost);
    const bool coin = random.uniform() < 0.5, slip = random.uniform() < config_.error_rate;
    bool first = difference != 0 ? difference > 0 : coin;
    if (slip && !oracle) first = !first;
    feedback::Answer answer = feedback::Comparison{.best = first ? 0 : 1};
    answer.confidence = difference == 0 ? 0.25 : std::min(1.0, 0.5 + 0.1 * std::abs(difference));
    if (question.hints.empty()) return answer;
    feedback::HintJudgement hints{.opened = std::ssize(question.hints)};
    for (std::size_t i = 0; i < question.hints.size(); ++i)
      if (shown.at("faults").at(i) == 0) hints.wrong.push_back(static_cast<int>(i));
    answer.details["hints"] = hints;
    return answer;
  }

  static double shown_difference(const feedback::Question& question, double fault_cost) {
    const auto& shown = question.metadata.at("shown");
    double score[2] = {shown.at("visible").at(0), shown.at("visible").at(1)};
    for (std::size_t i = 0; i < question.hints.size(); ++i)
      score[question.hints[i].item] -= fault_cost * shown.at("faults").at(i).get<double>();
    return score[0] - score[1];
  }

 private:
  EvaluatorConfig config_;
};

/// Every answer waits for the disk, and those that arrive together share the wait.
void answer_side_by_side(feedback::Store& store, feedback::Labeler& evaluator,
                         const feedback::CollectOptions& collect) {
  constexpr int hands = 16;
  std::vector<std::future<void>> answering;
  for (int hand = 0; hand < hands; ++hand)
    answering.push_back(std::async(std::launch::async, [&] { feedback::answer_all(store, evaluator, collect); }));
  for (auto& hand : answering) hand.get();
}

}  // namespace

std::vector<Finding> findings_at(const Output& output, std::span<const std::int64_t> places, const char* fault,
                                 const char* clear) {
  std::vector<Finding> findings;
  for (const auto index : places) {
    const auto& place = output.places[static_cast<std::size_t>(index)];
    findings.push_back({.text = fmt::format("{}: {}", place.name, place.fault ? fault : clear),
                        .faults = place.fault ? 1 : 0,
                        .begin = place.begin,
                        .end = place.end});
  }
  return findings;
}

std::vector<std::int64_t> drawn_by_lot(const Output& output, std::int64_t count, Random& random) {
  auto places = random.permutation(std::ssize(output.places));
  places.resize(std::min(places.size(), static_cast<std::size_t>(count)));
  return places;
}

feedback::Question question_of(const std::string& stage, const std::string& pair, const Output& first,
                               const Output& second, const Condition& condition, std::uint64_t seed) {
  const Output* outputs[] = {&first, &second};
  feedback::Question question{.id = fmt::format("{}/{}/{}", stage, condition.name, pair), .shown = {0, 1}};
  question.prompt.id = pair;
  for (const auto* output : outputs) question.items.push_back({.text = output->text});
  Random random(derive(seed, {hash("question"), hash(question.id)}));
  if (random.uniform() < 0.5) question.shown = {1, 0};
  std::vector<Finding> found[2];
  if (condition.look)
    for (int item = 0; item < 2; ++item) found[item] = condition.look(*outputs[item], random);
  std::vector<feedback::Hint> hints;
  auto faults = nlohmann::json::array();
  for (std::size_t i = 0; i < std::max(found[0].size(), found[1].size()); ++i)
    for (int item = 0; item < 2; ++item) {
      if (i >= found[item].size()) continue;
      const auto& one = found[item][i];
      hints.push_back({.text = one.text, .item = item, .begin = one.begin, .end = one.end});
      faults.push_back(one.faults);
    }
  question.metadata = {{"shown",
                        {{"visible", {first.visible, second.visible}},
                         {"faults", faults},
                         {"truth", {first.truth, second.truth}},
                         {"oracle", condition.oracle}}}};
  const auto budget = std::ssize(hints);
  feedback::give_help(question, pair, condition.helper, std::move(hints), budget);
  return question;
}

double shown_difference(const feedback::Question& question, double fault_cost) {
  return Evaluator::shown_difference(question, fault_cost);
}

std::unique_ptr<feedback::Labeler> make_evaluator(const EvaluatorConfig& config) {
  return std::make_unique<Evaluator>(config);
}

std::optional<std::vector<bool>> ask_all(feedback::Store& store, const std::vector<feedback::Question>& questions,
                                         feedback::Labeler& evaluator, const std::function<bool()>& stop_requested) {
  store.publish(questions);
  const feedback::CollectOptions collect{.annotator = {"evaluator", feedback::Source::simulated},
                                         .stop_requested = stop_requested};
  store.release_all(collect.annotator);
  answer_side_by_side(store, evaluator, collect);
  if (stop_requested && stop_requested()) return std::nullopt;
  std::vector<bool> first;
  for (const auto& question : questions) {
    const auto answers = store.answers_to(question.id);
    const auto* said = answers.empty() ? nullptr
                                       : std::get_if<feedback::Comparison>(
                                             &std::get<feedback::Answer>(answers.back().body).said);
    if (!said)
      throw Error({.category = Category::check,
                   .where = store.location(),
                   .what = "the question " + question.id + " has no comparison for an answer",
                   .fix = ""});
    first.push_back(said->best == 0);
  }
  return first;
}

}  // namespace rlhf::recipes
