// One PPO step: 32 completions of 48 tokens, 4 epochs, all weights trained (peers/ppo.py). The reference is a second copy
// of the weights, the value head reads the policy's own trunk.
#include "benchmarks/measure.h"
#include "benchmarks/scratch_run.h"
#include "rlhf/algorithms/ppo.h"
#include "rlhf/core/clock.h"
#include "rlhf/generation/engine.h"
#include "rlhf/models/model_files.h"

namespace rlhf::benchmarks {
namespace {

struct Settings : Common {
  std::int64_t completions = 32, new_tokens = 48, epochs = 4, minibatches = 1, microbatch = 16, steps = 3, warmup = 1;
  bool separate_value = false;

  void fields(Fields& f) {
    Common::fields(f);
    f.field("completions", completions, "completions per step");
    f.field("new_tokens", new_tokens, "tokens of each");
    f.field("epochs", epochs, "passes over them");
    f.field("minibatches", minibatches, "optimiser steps per pass");
    f.field("microbatch", microbatch, "completions per forward pass");
    f.field("steps", steps, "measured steps");
    f.field("warmup", warmup, "steps before them");
    f.field("separate_value", separate_value, "values from a model of their own, as the peer has it");
  }
};

/// Score: 1 where the last token's id is even.
std::vector<rewards::Score> even_ids(std::span<const data::Prompt>, std::span<const data::Completion> completions) {
  std::vector<rewards::Score> scores;
  for (const auto& completion : completions) scores.push_back({.value = completion.ids.back() % 2 == 0 ? 1.0 : 0.0});
  return scores;
}

void run(std::span<const std::string> arguments) {
  Settings settings;
  apply_flags(fields_of(settings), arguments);
  prepare(settings);
  const auto policy = models::load_model(settings.model);
  const auto reference = models::load_model(settings.model);
  std::optional<models::LoadedModel> value;
  if (settings.separate_value) value = models::load_model(settings.model);
  const auto workload = read_workload(settings.workload);
  std::vector<data::Prompt> prompts;
  for (const auto& ids : workload.prompts) prompts.push_back({.id = std::to_string(prompts.size()), .ids = ids});
  algorithms::PromptStream stream(prompts, 0);

  algorithms::PpoConfig config;
  config.steps = settings.warmup + settings.steps;
  config.batch = settings.completions;
  config.epochs = settings.epochs;
  config.minibatches = settings.minibatches;
  config.learning_rate = 1e-6;
  config.whiten_rewards = false;
  config.kl = {.control = algorithms::KlControl::fixed, .coefficient = 0.05};
  config.sampling = {.max_new_tokens = settings.new_tokens, .ignore_eos = true};
  config.micro_tokens = settings.microbatch * (static_cast<std::int64_t>(workload.prompts.front().size()) + settings.new_tokens);
  config.sign_test = false;
  config.samples = 0;
  config.evaluate_every = 1;

  std::vector<double> ends;
  ScratchRun scratch("bench-ppo");
  algorithms::train({.policy = *policy.model, .reference = reference.model.get(), .value = value ? value->model.get() : nullptr}, stream, config,
                    {.generate =
                         [&](std::span<const data::Prompt> asked, std::int64_t version) {
                           return generation::generate(*policy.model, policy.text, asked, config.sampling, {.policy_version = version});
                         },
                     .reward = even_ids,
                     .write_model = [](const auto&) {},
                     .evaluate = [&](std::int64_t) { ends.push_back(steady_seconds()); }},
                    scratch.run());
  std::vector<double> seconds;
  for (std::size_t step = settings.warmup; step < ends.size(); ++step) seconds.push_back(ends.at(step) - ends.at(step - 1));
  const std::vector<double> tokens(seconds.size(), static_cast<double>(settings.completions * settings.new_tokens));
  std::int64_t parameters = 0;
  for (const auto* trained : {policy.model.get(), value ? value->model.get() : nullptr})
    if (trained != nullptr)
      for (const auto& [name, weight] : trained->weights()) parameters += weight.numel();
  report("ppo", settings, seconds, tokens, {{"epochs", settings.epochs}, {"trained_parameters", parameters}});
}

}  // namespace
}  // namespace rlhf::benchmarks

int main(int argc, char** argv) { return rlhf::benchmarks::guarded(argc, argv, rlhf::benchmarks::run); }
