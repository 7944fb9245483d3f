#include <ATen/TensorOperators.h>

#include "rlhf/algorithms/follow_labels.h"
#include "rlhf/algorithms/jobs.h"
#include "rlhf/algorithms/minibatch.h"
#include "rlhf/algorithms/reward_training.h"
#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/data/preflight.h"
#include "rlhf/data/readers/rows.h"

namespace rlhf::algorithms {
namespace {

class RewardModelJob final : public Job {
 public:
  explicit RewardModelJob(models::ModelTable models) : models_(std::move(models)) {}

  void fields(Fields& f) override {
    model_.fields(f);
    f.field("data", data_, "rows {prompt, chosen, rejected} or best of N, JSONL");
    f.field("held_out", held_out_, "share of the comparisons kept apart to measure agreement, 0..1");
    f.field("max_tokens", preflight_.encode.max_tokens, "longer rows are left out; 0 = no limit");
    f.group("reading", reading_, "what the reward is read from");
    config_.fields(f);
    f.field("follow", follow_, "train on the answers in a store, and again as more arrive, instead of on `data`");
    following_.fields(f);
  }

  void run(Run& run) override {
    config_.validate();
    if (follow_) return follow(run);
    const bool frozen = config_.trunk == RewardTrunk::frozen;
    auto trainee = frozen ? Trainee{.loaded = models::load_model(model_.model, models_), .settings = model_}
                          : load_trainee(model_, models_, config_.seed);
    auto prepared = data::prepare(data::read_preferences(data_), trainee.loaded.text, data_.string(), preflight_);
    run.write_file("preflight.json", data::to_json(prepared.report).dump(2));
    data::require_trainable(prepared.report, preflight_);
    const auto [fit, apart] = split(std::move(prepared.rows));

    auto model = make_reward_model(trainee.model(), reading_, derive(config_.seed, {hash("reward head")}));
    // Other programs read a score head from the last token after the final norm, and know nothing of gain and bias.
    const bool plain = reading_.layers == std::vector<std::int64_t>{-1} && reading_.pooling == Pooling::last_token;
    const auto folded = [&]() -> std::optional<models::ScalarHead> {
      if (!plain) return std::nullopt;
      return models::ScalarHead{.weight = (model.head.weight * model.gain).detach(), .bias = {}};
    };
    const auto write_trunk = trainee.writer(folded);
    const auto write = [&](const std::filesystem::path& folder) {
      if (!frozen) write_trunk(folder);
      save_head(model, folder, frozen ? model_.model : ".");
    };
    train(model, trainee.model(), {.train = fit, .held_out = apart}, config_, write, run);
    if (!run.stop_requested()) write(run.folder() / "reward_model");
  }

 private:
  /// The trunk stays as it is, so that a version takes seconds.
  void follow(Run& run) const {
    following_.validate();
    if (config_.trunk != RewardTrunk::frozen)
      throw Error({.category = Category::usage, .where = "trunk", .what = "a reward model that follows a store has a frozen trunk", .fix = "Leave `trunk` out."});
    const auto loaded = models::load_model(model_.model, models_);
    auto store = feedback::Store::open(following_.store, {.project = following_.project});
    auto model = make_reward_model(*loaded.model, reading_, derive(config_.seed, {hash("reward head")}));
    auto config = config_;
    if (following_.select && config.fit.members == 0) config.fit.members = 5;  // Christiano et al. 2017 had three
    const auto fit = [&](const RewardData& data) {
      model = make_reward_model(*loaded.model, reading_, derive(config_.seed, {hash("reward head")}));
      return refit(model, data, config, [&] { if (run.stop_requested()) throw StopRequested(); });
    };
    const auto write = [&](const std::filesystem::path& folder) { save_head(model, folder, model_.model); };
    follow_labels(store, loaded.text, following_, fit, model, write, run);
  }

  std::pair<std::vector<data::Comparison>, std::vector<data::Comparison>> split(std::vector<data::Comparison> rows) const {
    if (held_out_ < 0 || held_out_ >= 1)
      throw Error({.category = Category::usage, .where = "held_out", .what = std::to_string(held_out_) + " is not in [0, 1)", .fix = "Take 0.1."});
    const auto apart = static_cast<std::size_t>(held_out_ * static_cast<double>(rows.size()));
    std::pair<std::vector<data::Comparison>, std::vector<data::Comparison>> result;
    for (const auto i : shuffled(static_cast<std::int64_t>(rows.size()), derive(config_.seed, {hash("held out")})))
      (result.second.size() < apart ? result.second : result.first).push_back(std::move(rows[i]));
    return result;
  }

  models::ModelTable models_;
  ModelSettings model_;
  std::filesystem::path data_;
  double held_out_ = 0.1;
  data::PreflightOptions preflight_{.allow_no_stop = true};  // a completion without an end can still be judged
  RewardReading reading_;
  RewardModelConfig config_;
  bool follow_ = false;
  FollowConfig following_;
};

}  // namespace

std::unique_ptr<Job> make_reward_model_job(models::ModelTable models) { return std::make_unique<RewardModelJob>(std::move(models)); }

}  // namespace rlhf::algorithms
