#include "recipes/fine_tuning_from_preferences/reward_stage.h"

#include <cmath>
#include <fstream>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/feedback/batches.h"
#include "rlhf/feedback/collect.h"
#include "rlhf/feedback/server_address.h"

namespace rlhf::recipes {
namespace {

/// What the report shows of the reward model, in the run's own metrics.
struct RewardModelNumbers {
  const algorithms::RewardResult& result;
  std::int64_t labels;

  void log(MetricRow& row) const {
    row.add("reward_model/accuracy", result.train.accuracy);
    row.add("reward_model/eval_accuracy", result.held_out.accuracy);
    row.add("reward_model/labels", static_cast<double>(labels));
    if (result.fit) row.add("reward_model/loss", result.fit->train_loss);
  }
};

/// The store's newest entry when a round was fitted: kept, so that a repeated round sees what it saw the first time.
std::filesystem::path cursor_file(const Run& run, std::int64_t round) {
  return run.folder() / ("labels-round-" + std::to_string(round) + ".cursor");
}

/// The address of a server that already shows this store's questions, or how to start one (`rlhf collect` leaves its address
/// beside the store).
std::string page_of(const std::string& store) {
  const auto url = feedback::server_address(store);
  if (!url.empty()) return url;
  return "the page of `rlhf collect " + store + "`, which is not running yet";
}

}  // namespace

RewardStage::RewardStage(Parts parts, Run& run)
    : parts_(std::move(parts)), run_(run),
      store_(feedback::Store::open(parts_.config.labels.store.empty() ? (run.folder() / "feedback.db").string()
                                                                      : parts_.config.labels.store)),
      labeler_(feedback::make_oracle(parts_.gold, parts_.config.labels.oracle)) {}

// The paper: after a share t of all episodes, l(t) = N0 + (N - N0)(1 - (1 - t)^2) labels are in.
std::int64_t RewardStage::labels_by(std::int64_t round) const {
  const auto& labels = parts_.config.labels;
  if (labels.rounds == 1) return labels.questions;
  const double all = static_cast<double>(labels.questions), first = labels.first_round * all;
  const double t = static_cast<double>(round) / static_cast<double>(labels.rounds - 1);
  return std::llround(first + (all - first) * (1 - (1 - t) * (1 - t)));
}

std::int64_t RewardStage::due(std::int64_t round) const {
  return round * parts_.config.ppo.steps / parts_.config.labels.rounds;
}

bool RewardStage::before_step(std::int64_t step) {
  for (; asked_ < parts_.config.labels.rounds && due(asked_) <= step; ++asked_) {
    if (!ask(asked_, due(asked_))) return false;
  }
  for (; fitted_ < asked_; ++fitted_) {
    const auto cursor = labels_of(fitted_, step);
    if (run_.stop_requested()) return false;
    if (!cursor) return true;  // people are still at it
    fit(fitted_, *cursor);
  }
  return true;
}

bool RewardStage::ask(std::int64_t round, std::int64_t step) {
  if (std::filesystem::exists(cursor_file(run_, round))) return true;  // asked and answered before an interruption
  const auto& config = parts_.config;
  const auto wanted = labels_by(round) - (round == 0 ? 0 : labels_by(round - 1));
  run_.progress().start("asking", wanted);
  const AskOptions options{.origin = {.run = "fine-tuning", .stage = "round-" + std::to_string(round), .seed = config.seed,
                                      .heldout_share = config.labels.heldout, .guideline = "positive-sentiment", .split_by_prompt = false},
                           .policy_version = step,
                           .questions = wanted,
                           .items = config.labels.items,
                           .stop_requested = [this] { return run_.stop_requested(); },
                           .progress = [this](std::int64_t asked) { run_.progress().set(asked); }};
  const bool asked = ask_for_labels(store_, parts_.prompts, parts_.sample, options);
  run_.progress().finish();
  return asked;
}

/// The store's newest entry once a round is answered; recorded with the step, so that a resumed run uses the same labels at
/// the same time. Nothing while it is not.
std::optional<std::int64_t> RewardStage::labels_of(std::int64_t round, std::int64_t step) {
  const auto file = cursor_file(run_, round);
  if (std::ifstream recorded(file); recorded) {
    std::int64_t cursor = 0, used_at = 0;
    recorded >> cursor >> used_at;
    return used_at <= step ? std::optional(cursor) : std::nullopt;
  }
  std::optional<std::int64_t> cursor;
  if (parts_.config.labels.labeler == LabelerKind::human) {
    cursor = from_people(round);
  } else {
    const feedback::CollectOptions collect{.stop_requested = [this] { return run_.stop_requested(); }};
    store_.release_all(collect.annotator);
    feedback::answer_all(store_, *labeler_, collect);
    cursor = store_.latest();
  }
  if (cursor && !run_.stop_requested())
    run_.write_file(file.filename(), std::to_string(*cursor) + " " + std::to_string(step) + "\n");
  return cursor;
}

/// Waits until people have answered enough, and says so; looks only, where the policy may go on meanwhile.
std::optional<std::int64_t> RewardStage::from_people(std::int64_t round) {
  const auto wanted = labels_by(round);
  const bool wait = round == 0 || parts_.config.labels.wait;
  auto answered = store_.counts().answers;
  if (answered < wanted && wait) {
    run_.note("waiting for people: " + std::to_string(wanted - answered) + " of " + std::to_string(wanted) +
              " answers are missing. They answer at " + page_of(store_.location()));
    run_.progress().start("labels", wanted, answered);
    while (answered < wanted && !run_.stop_requested()) {
      store_.wait(store_.latest(), std::chrono::seconds(1));
      answered = store_.counts().answers;
      run_.progress().set(std::min(answered, wanted));
    }
    run_.progress().finish();
  }
  return answered < wanted ? std::nullopt : std::optional(store_.latest());
}

void RewardStage::fit(std::int64_t round, std::int64_t cursor) {
  const auto& config = parts_.config;
  const auto labels = feedback::read_labels(store_, cursor);
  model_ = std::make_shared<algorithms::RewardModel>(
      algorithms::make_reward_model(*parts_.trunk, config.reading, derive(config.seed, {hash("reward head")})));
  const bool frozen = config.reward.trunk == algorithms::RewardTrunk::frozen;
  Run own({.folder = run_.folder() / ("reward_model-" + std::to_string(round)), .resume = !frozen, .overwrite = frozen,
           .keep_checkpoints = 1, .stop_requested = [this] { return run_.stop_requested(); }},
          "", {{"algorithm", "reward_model"}});
  const auto write = [&](const std::filesystem::path& folder) {
    if (!frozen) parts_.write_trunk(folder);
    algorithms::save_head(*model_, folder, config.start.model);
  };
  result_ = algorithms::train(*model_, *parts_.trunk, {.train = labels.train.comparisons, .held_out = labels.heldout.comparisons}, config.reward, write, own);
  const auto count = static_cast<std::int64_t>(labels.train.comparisons.size());
  run_.note("reward model of round " + std::to_string(round) + ": " + std::to_string(count) + " labels, orders " +
            std::to_string(100 * result_.held_out.accuracy).substr(0, 4) + "% of held-out pairs as the labeler did");
  // A resumed run has kept the rows from before its checkpoint.
  const auto step = round * config.ppo.steps / config.labels.rounds;
  if (step >= run_.first_step()) run_.report(step, RewardModelNumbers{result_, count});
}

rewards::RewardFn RewardStage::reward() const {
  return [this](std::span<const data::Prompt> prompts, std::span<const data::Completion> completions) {
    auto scores = algorithms::reward_function(model_)(prompts, completions);
    for (auto& score : scores) score.value *= parts_.config.reward_sign;
    return scores;
  };
}

}  // namespace rlhf::recipes
