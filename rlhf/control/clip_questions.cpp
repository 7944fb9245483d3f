#include "rlhf/control/clip_questions.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "rlhf/core/error.h"
#include "rlhf/environments/clip.h"
#include "rlhf/feedback/question.h"
#include "rlhf/feedback/store_folder.h"

namespace rlhf::control {
namespace {

constexpr std::size_t candidates_per_question = 10;
const feedback::Annotator demonstrator{"demonstrations", feedback::Source::simulated};

bool by_ensemble(Selection selection) { return selection == Selection::variance || selection == Selection::entropy; }

/// A clip of `clips`, the newer ones more often.
std::size_t recent(std::size_t clips, Random& random) {
  const double drawn = random.uniform(), age = drawn * drawn;                     // the newest is 0
  return clips - 1 - static_cast<std::size_t>(age * static_cast<double>(clips));  // 0 < drawn < 1
}

}  // namespace

ClipQuestions::ClipQuestions(feedback::Store& store, environments::Environment& replayer, environments::Spec spec,
                             const PreferenceConfig& config, std::string run)
    : store_(store), replayer_(replayer), spec_(std::move(spec)), config_(config), run_(std::move(run)) {}

/// What two runs of one name, one after the other with other settings, differ in: what is shown, and who answers.
std::string ClipQuestions::fingerprint(const Clip& first, const Clip& second) const {
  const auto who = config_.people ? "people" : rlhf::to_json(config_.teacher).dump();
  return fmt::format("{:016x}", hash(data::to_json(first.segment).dump() + data::to_json(second.segment).dump() + who));
}

feedback::Question ClipQuestions::question_of(std::string id, const Clip& first, const Clip& second,
                                              std::int64_t version) {
  const bool shared = !config_.store.empty();
  if (shared) id += "-" + fingerprint(first, second);
  const data::Prompt prompt{.id = id};
  std::vector<data::Completion> two(2);
  two[1].sample = 1;
  for (auto& one : two) one.policy_version = std::max<std::int64_t>(version, 0);
  const auto name = fmt::format("preferences-{}", config_.seed);
  const feedback::Origin origin{.run = shared ? name + "-" + run_ : name, .stage = spec_.name, .seed = config_.seed};
  auto question = feedback::ask_with(origin, feedback::builtin_form("clips"), prompt, two);
  question.priority = static_cast<double>(version - before_training);
  question.metadata = {{"settings", spec_.settings}};  // of the environment: with it, segments can be drawn again
  const Clip* clips[] = {&first, &second};
  for (std::size_t i = 0; i < 2; ++i) {
    question.items[i].segment = data::to_json(clips[i]->segment);
    if (!config_.people) continue;
    const auto media = feedback::folder_beside(store_.location(), "media");
    question.items[i].clip = environments::store_clip(replayer_, clips[i]->segment, media).id;
  }
  return question;
}

std::vector<std::size_t> ClipQuestions::chosen(const std::vector<ClipComparison>& candidates,
                                               const RewardEnsemble& reward, std::size_t count) const {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (by_ensemble(config_.selection) && reward.version() > 0) {
    const auto chances = reward.probabilities(candidates);
    const auto score =
        (config_.selection == Selection::variance ? chances.var(0, false) : -(chances.mean(0) - 0.5).abs())
            .contiguous();
    const auto* scores = score.const_data_ptr<float>();
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  }
  order.resize(std::min(count, order.size()));
  return order;
}

std::vector<ClipQuestions::Pair> ClipQuestions::ask(const ClipPool& pool, const RewardEnsemble& reward,
                                                    std::int64_t count, std::int64_t version) {
  if (count <= 0) return {};
  const auto& clips = pool.clips();
  const auto each = by_ensemble(config_.selection) ? candidates_per_question : 1;
  Random random(derive(config_.seed, {hash("pairs"), static_cast<std::uint64_t>(asked())}));
  std::vector<Pair> pairs, picked;
  std::vector<ClipComparison> candidates;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) * each; ++i) {
    const auto first = config_.selection == Selection::recency
                           ? recent(clips.size(), random)
                           : static_cast<std::size_t>(random.below(std::ssize(clips)));
    const auto second = (first + 1 + static_cast<std::size_t>(random.below(std::ssize(clips) - 1))) % clips.size();
    pairs.emplace_back(first, second);
    candidates.push_back({.first = clips[first].inputs, .second = clips[second].inputs});
  }
  std::vector<feedback::Question> questions;
  for (const auto at : chosen(candidates, reward, static_cast<std::size_t>(count))) {
    picked.push_back(pairs[at]);
    const auto& [first, second] = pairs[at];
    questions.push_back(question_of(fmt::format("pair-{}", asked()), clips[first], clips[second], version));
    remember(questions.back().id, pairs_);
  }
  store_.publish(questions);
  return picked;
}

void ClipQuestions::prefer(std::span<const data::Trajectory> demonstrations, const std::vector<Pair>& pairs,
                           const ClipPool& pool) {
  if (demonstrations.empty())
    throw Error({.category = Category::usage,
                 .where = "autolabels",
                 .what = "there is no demonstration to prefer",
                 .fix = "Give demonstrations, or set autolabels = false."});
  Random random(derive(config_.seed, {hash("autolabels")}));
  std::vector<feedback::Question> questions;
  for (const auto& [first, second] : pairs)
    for (const auto clip : {first, second}) {
      const auto& shown = demonstrations[static_cast<std::size_t>(random.below(std::ssize(demonstrations)))];
      const auto last = std::max<std::int64_t>(0, std::ssize(shown.actions) - config_.clip_steps);
      const Clip piece{.segment = environments::cut_segment(shown, random.below(last + 1), config_.clip_steps)};
      auto question = question_of(fmt::format("auto-{}", questions.size()), piece, pool.clips()[clip], before_training);
      question.reserved_for = demonstrator.name;  // so that no person is asked
      questions.push_back(std::move(question));
    }
  store_.publish(questions);
  store_.release_all(demonstrator);
  for (const auto& question : questions)
    if (const auto lease = store_.lease_question(demonstrator, question.id, std::chrono::seconds(600)))
      store_.answer(*lease, feedback::Comparison{.best = 0});
  for (const auto& question : questions) remember(question.id, autolabels_);
}

void ClipQuestions::remember(const std::string& question, std::vector<std::string>& among) {
  among.push_back(question);
  own_.insert(question);
}

void ClipQuestions::save(nlohmann::json& record) const {
  record["asked"] = pairs_;
  record["autolabels"] = autolabels_;
}

void ClipQuestions::restore(const nlohmann::json& record) {
  for (const std::string question : record.at("asked")) remember(question, pairs_);
  for (const std::string question : record.at("autolabels")) remember(question, autolabels_);
}

}  // namespace rlhf::control
