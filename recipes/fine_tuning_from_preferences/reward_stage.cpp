#include "recipes/fine_tuning_from_preferences/reward_stage.h"

#include <cmath>
#include <fstream>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/feedback/batches.h"
#include "rlhf/feedback/collect.h"

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

}  // namespace

RewardStage::RewardStage(Parts parts, Run& run)
    : parts_(std::move(parts)), run_(run), store_(feedback::Store::open((run.folder() / "feedback.db").string())),
      labeler_(feedback::make_oracle(parts_.gold, parts_.config.labels.oracle)) {}

// The paper: after a share t of all episodes, l(t) = N0 + (N - N0)(1 - (1 - t)^2) labels are in.
std::int64_t RewardStage::labels_by(std::int64_t round) const {
  const auto& labels = parts_.config.labels;
  if (labels.rounds == 1) return labels.questions;
  const double all = static_cast<double>(labels.questions), first = labels.first_round * all;
  const double t = static_cast<double>(round) / static_cast<double>(labels.rounds - 1);
  return std::llround(first + (all - first) * (1 - (1 - t) * (1 - t)));
}

bool RewardStage::before_step(std::int64_t step) {
  const auto rounds = parts_.config.labels.rounds;
  while (rounds_done_ < rounds && rounds_done_ * parts_.config.ppo.steps / rounds <= step) {
    if (!ask_and_fit(rounds_done_, rounds_done_ * parts_.config.ppo.steps / rounds)) return false;
    ++rounds_done_;
  }
  return true;
}

bool RewardStage::ask_and_fit(std::int64_t round, std::int64_t step) {
  const auto file = cursor_file(run_, round);
  if (std::ifstream recorded(file); recorded) {
    std::int64_t cursor = 0;
    recorded >> cursor;
    fit(round, cursor);
    return true;
  }
  const auto& config = parts_.config;
  const auto wanted = labels_by(round) - (round == 0 ? 0 : labels_by(round - 1));
  const auto stop = [this] { return run_.stop_requested(); };
  run_.progress().start("asking", wanted);
  const AskOptions options{.origin = {.run = "fine-tuning", .stage = "round-" + std::to_string(round), .seed = config.seed,
                                      .heldout_share = config.labels.heldout, .guideline = "positive-sentiment", .split_by_prompt = false},
                           .policy_version = step,
                           .questions = wanted,
                           .items = config.labels.items,
                           .stop_requested = stop,
                           .progress = [this](std::int64_t asked) { run_.progress().set(asked); }};
  const bool asked = ask_for_labels(store_, parts_.prompts, parts_.sample, options);
  run_.progress().finish();
  if (!asked) return false;
  const feedback::CollectOptions collect{.stop_requested = stop};
  store_.release_all(collect.annotator);
  feedback::answer_all(store_, *labeler_, collect);
  if (run_.stop_requested()) return false;
  const auto cursor = store_.latest();
  run_.write_file(file.filename(), std::to_string(cursor) + "\n");
  fit(round, cursor);
  return true;
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
