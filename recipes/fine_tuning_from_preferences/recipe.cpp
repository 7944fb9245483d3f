#include "recipes/fine_tuning_from_preferences/recipe.h"

#include "recipes/fine_tuning_from_preferences/config.h"
#include "recipes/fine_tuning_from_preferences/reward_stage.h"
#include "recipes/run_costs.h"
#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/data/encode.h"
#include "rlhf/data/readers/jsonl.h"
#include "rlhf/generation/engine.h"
#include "rlhf/models/model_files.h"
#include "rlhf/rewards/lexicon.h"
#include "rlhf/rewards/vader.h"

namespace rlhf::recipes {
namespace fine_tuning {
extern const std::string_view prompts_jsonl, story_prompts_jsonl, smoke_toml, small_toml, no_kl_toml, paper_toml, expected_json;
}
namespace {

struct Prompts {
  std::vector<data::Prompt> train, heldout;
};

Prompts read_prompts(const FineTuningConfig& config, const text::TextBundle& text) {
  const auto own = config.start.model == "stories" ? fine_tuning::story_prompts_jsonl : fine_tuning::prompts_jsonl;
  auto reader = config.prompts.empty() ? data::JsonlReader::from_text(std::string(own), "prompts.jsonl")
                                       : data::JsonlReader::open(config.prompts);
  Prompts prompts;
  while (const auto row = reader.next()) {
    if (!row->value.is_object() || !row->value.contains("prompt") || !row->value["prompt"].is_string()) {
      throw Error({.category = Category::bad_data,
                   .where = row->where,
                   .what = "expected an object with the text `prompt`, found " + row->value.dump().substr(0, 80),
                   .fix = R"(Write rows like {"prompt": "The movie was", "split": "train"}.)"});
    }
    data::Prompt prompt{.id = row->value.value("id", row->where), .text = row->value["prompt"], .row = row->value};
    data::encode_prompt(prompt, text);
    (row->value.value("split", "train") == "heldout" ? prompts.heldout : prompts.train).push_back(std::move(prompt));
  }
  if (prompts.train.empty() || prompts.heldout.empty()) {
    throw Error({.category = Category::bad_data,
                 .where = config.prompts,
                 .what = std::to_string(prompts.train.size()) + " training and " + std::to_string(prompts.heldout.size()) + " held-out prompts",
                 .fix = "Both are needed: mark rows with \"split\": \"train\" or \"heldout\"."});
  }
  return prompts;
}

algorithms::SignTest sign_test(const data::Prompt& prompt, const text::TextBundle& text) {
  const auto completion = [&](const std::string& words) {
    return data::Completion{.prompt_id = prompt.id, .ids = text.tokenizer.encode(words), .finish = data::FinishReason::length, .text = words};
  };
  return {prompt, completion(" good and great. I was happy, it was wonderful and lovely."),
          completion(" bad and awful. I was sad, it was terrible and horrible.")};
}

/// The models of a run: the policy, what it is compared with, and what reads values and rewards.
struct Models {
  models::LoadedModel policy;
  std::optional<models::LoadedModel> reference, value, reward_trunk;

  PolicyPair pair() const { return {*policy.model, reference ? reference->model.get() : nullptr}; }
};

std::optional<Models> load_models(const FineTuningConfig& config, Run& run) {
  auto start = load_start_model(config.start.model, config.story, config.seed, run);
  if (!start) return std::nullopt;
  Models all{.policy = std::move(*start)};
  const auto source = all.policy.source.string();
  const bool lora = config.start.trained == algorithms::Trained::adapters;
  if (!lora) all.reference = models::load_model(source, models::builtin_models(), {.mapped = true});
  if (config.value == ValueTrunk::separate) all.value = models::load_model(source);
  if (config.reward.trunk == algorithms::RewardTrunk::trained) all.reward_trunk = models::load_model(source);
  if (lora) {
    models::attach_lora(*all.policy.model, config.start.lora, derive(config.seed, {hash("policy adapter")}));
    if (all.value) models::attach_lora(*all.value->model, config.start.lora, derive(config.seed, {hash("value adapter")}));
    if (all.reward_trunk) models::attach_lora(*all.reward_trunk->model, config.start.lora, derive(config.seed, {hash("reward adapter")}));
  }
  return all;
}

nlohmann::json results_of(const PeriodicEvaluation& evaluation, const evaluation::Verdict& verdict, double kl, double target) {
  const auto &first = evaluation.first(), &last = evaluation.last();
  return {{"gold_before", first.gold->mean},
          {"gold_after", last.gold->mean},
          {"gold_gain", last.gold->mean - first.gold->mean},
          {"judge_gain", last.judge.value_or(0) - first.judge.value_or(0)},
          {"judge_win_rate", last.judge_win_rate.value_or(0)},
          {"win_rate", last.win->rate.mean},
          {"win_low", last.win->rate.low},
          {"distinct_2_ratio", last.text.distinct_2 / first.text.distinct_2},
          {"perplexity_ratio", last.perplexity.value_or(0) / first.perplexity.value_or(1)},
          {"samples", last.samples},
          {"prompts", last.prompts},
          {"kl_last_10", kl},
          {"kl_off_target", target > 0 ? std::abs(kl / target - 1) : 0.0},
          {"overoptimized", verdict.outcome == evaluation::Outcome::overoptimized ? 1 : 0}};
}

/// The paper's stages, in its order.
void run_stages(const FineTuningConfig& config, Run& run) {
  RunCosts costs(run);
  auto all = load_models(config, run);
  if (!all) return;
  auto& policy = *all->policy.model;
  const auto& text = all->policy.text;
  const auto source = all->policy.source.string();
  auto prompts = read_prompts(config, text);
  const auto vader = rewards::Vader::load_packaged();
  const auto sample = [&](std::span<const data::Prompt> asked, std::int64_t num, std::int64_t version) {
    auto sampling = config.ppo.sampling;
    sampling.num = num;
    sampling.seed = config.seed;
    return generation::generate(policy, text, asked, sampling, {.policy_version = version});
  };

  // 1, 2: people (here: an oracle) pick the best of N completions; a reward model is fitted to their picks and normalised.
  std::int64_t version = 0;
  auto* trunk = all->reward_trunk ? all->reward_trunk->model.get() : all->reference ? all->reference->model.get() : &policy;
  RewardStage labels({.config = config,
                      .prompts = prompts.train,
                      .sample = [&](auto asked, std::int64_t num) { return sample(asked, num, version); },
                      .gold = [&](const std::string&, const std::string& completion) { return vader.compound(completion); },
                      .trunk = trunk,
                      .write_trunk = [&](const std::filesystem::path& folder) { algorithms::save_trained(folder, *all->reward_trunk, config.start, source); }},
                     run);
  // A resumed run repeats the rounds behind it. One that is due at its very first step waits for the restored policy.
  if (!labels.before_step(std::max<std::int64_t>(0, run.first_step() - 1))) return;
  costs.phase("labels and reward model");

  // 3: the policy is optimised against the learned reward and a KL penalty; held-out prompts are evaluated as it goes.
  PeriodicEvaluation evaluation(all->pair(), text, prompts.heldout, config.ppo.sampling,
                                {.gold = rewards::vader_reward(vader), .learned = labels.reward(), .judge = rewards::afinn_judge()},
                                config.evaluate, run);
  evaluation.at(0);
  costs.phase("evaluation");
  algorithms::PromptStream stream(prompts.train, config.seed);
  const algorithms::PpoHooks hooks{
      .generate =
          [&](std::span<const data::Prompt> asked, std::int64_t step) {
            version = step;
            labels.before_step(step);
            return sample(asked, config.ppo.sampling.num, step);
          },
      .reward = labels.reward(),
      .write_model = [&](const std::filesystem::path& folder) { algorithms::save_trained(folder, all->policy, config.start, source); },
      .evaluate = [&](std::int64_t step) { evaluation.at(step + 1); },
      .decode = [&](std::span<const TokenId> ids) { return text.tokenizer.decode(ids); },
      .sign_test = sign_test(prompts.train.front(), text)};
  algorithms::train({.policy = policy,
                     .reference = all->reference ? all->reference->model.get() : nullptr,
                     .value = all->value ? all->value->model.get() : nullptr},
                    stream, config.ppo, hooks, run);
  if (run.stop_requested()) return;
  costs.phase("policy");

  // 4: what came of it.
  if (evaluation.last().step < config.ppo.steps) evaluation.at(config.ppo.steps);
  const auto verdict = evaluation.verdict();
  const double kl = mean_of_last(run, "objective/kl", 10);
  const bool adaptive = config.ppo.kl.control == algorithms::KlControl::adaptive;
  const auto results = results_of(evaluation, verdict, kl, adaptive ? config.ppo.kl.target : 0);
  run.write_file("results.json", results.dump(2) + "\n");
  costs.phase("evaluation");
  costs.write(labels.labels(), config.labels.oracle.error_rate, labels.result());
  run.note(verdict.headline);
}

class FineTuning final : public algorithms::Job {
 public:
  void fields(Fields& f) override { config_.fields(f); }
  void run(Run& run) override {
    config_.validate();
    run_stages(config_, run);
  }

 private:
  FineTuningConfig config_;
};

}  // namespace

Recipe fine_tuning_from_preferences() {
  return {.title = "Fine-Tuning Language Models from Human Preferences (Ziegler et al. 2019)",
          .claim = "A reward model fitted to a few thousand picks lets PPO make a language model's text clearly more positive, "
                   "while a KL penalty keeps it text.",
          .presets = {{"smoke", fine_tuning::smoke_toml},
                      {"small", fine_tuning::small_toml},
                      {"no_kl", fine_tuning::no_kl_toml},
                      {"paper", fine_tuning::paper_toml}},
          .expected = fine_tuning::expected_json,
          .make = [] { return std::make_unique<FineTuning>(); }};
}

}  // namespace rlhf::recipes
