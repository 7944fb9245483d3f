#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "rlhf/algorithms/jobs.h"
#include "rlhf/algorithms/ppo.h"
#include "rlhf/algorithms/reward_model.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/data/encode.h"
#include "rlhf/data/readers/rows.h"
#include "rlhf/generation/engine.h"

namespace rlhf::algorithms {
namespace {

class PpoJob final : public Job {
 public:
  PpoJob(models::ModelTable models, const rewards::RewardTable& rewards) : models_(std::move(models)) {
    for (const auto& [name, make] : rewards) rewards_[name] = make();
  }

  void fields(Fields& f) override {
    model_.fields(f);
    f.field("prompts", prompts_, "rows {prompt}, JSONL");
    f.field("reward", reward_, "what scores completions: one of the rewards below, or the folder of a trained reward model");
    for (auto& [name, kind] : rewards_) f.group(name, *kind, "settings of the reward " + name);
    config_.fields(f);
  }

  void run(Run& run) override {
    config_.validate();
    const auto policy = load_trainee(model_, models_, config_.seed);
    std::optional<models::LoadedModel> reference;
    if (model_.trained == Trained::all) reference = models::load_model(model_.model, models_, {.mapped = true});
    auto prompts = data::read_prompts(prompts_);
    data::encode_prompts(prompts, policy.loaded.text);
    PromptStream stream(std::move(prompts), config_.seed);
    const auto& text = policy.loaded.text;
    train({.policy = policy.model(), .reference = reference ? reference->model.get() : nullptr}, stream, config_,
          {.generate = [&](std::span<const data::Prompt> asked, std::int64_t version) {
             return generation::generate(policy.model(), text, asked, config_.sampling, {.policy_version = version});
           },
           .reward = make_reward(policy),
           .write_model = policy.writer(),
           .decode = [&](std::span<const TokenId> ids) { return text.tokenizer.decode(ids); }},
          run);
  }

 private:
  rewards::RewardFn make_reward(const Trainee& policy) {
    if (const auto kind = rewards_.find(reward_); kind != rewards_.end()) return kind->second->make();
    const std::filesystem::path folder = reward_;
    if (!std::filesystem::exists(folder / "reward.json")) {
      std::string known;
      for (const auto& [name, kind] : rewards_) known += (known.empty() ? "" : ", ") + name;
      throw Error({.category = Category::usage,
                   .where = "reward",
                   .what = "\"" + reward_ + "\" is neither a reward nor a folder with a reward model",
                   .fix = "Take one of " + known + ", or the folder that `rlhf train reward_model` wrote."});
    }
    const auto base = nlohmann::json::parse(read_file(folder / "reward.json"), nullptr, false).value("base", "");
    // A head on the policy's own frozen trunk costs no second copy of it: its adapters are left out.
    const bool shared = base == model_.model && model_.trained == Trained::adapters;
    if (!shared) reward_trunk_ = models::load_model(base == "." ? folder.string() : base, models_, {.mapped = true});
    auto model = std::make_shared<RewardModel>(load_head(shared ? policy.model() : *reward_trunk_->model, folder));
    if (shared) model->reading.adapters = false;
    return reward_function(std::move(model));
  }

  models::ModelTable models_;
  std::map<std::string, std::unique_ptr<rewards::RewardKind>, std::less<>> rewards_;
  ModelSettings model_;
  std::filesystem::path prompts_;
  std::string reward_ = "vader";
  std::optional<models::LoadedModel> reward_trunk_;
  PpoConfig config_;
};

}  // namespace

std::unique_ptr<Job> make_ppo_job(models::ModelTable models, rewards::RewardTable rewards) {
  return std::make_unique<PpoJob>(std::move(models), rewards);
}

}  // namespace rlhf::algorithms
