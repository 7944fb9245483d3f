// PPO with a reward of one's own: the mean length of the words of a completion.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "rlhf/algorithms/ppo.h"
#include "rlhf/data/encode.h"
#include "rlhf/generation/engine.h"
#include "rlhf/models/adapter_files.h"
#include "rlhf/models/model_files.h"

using namespace rlhf;

std::vector<rewards::Score> word_length(std::span<const data::Prompt>, std::span<const data::Completion> completions) {
  std::vector<rewards::Score> scores;
  for (const auto& completion : completions) {
    const auto words = 1 + std::ranges::count(completion.text, ' ');
    scores.push_back({.value = static_cast<double>(completion.text.size()) / static_cast<double>(words)});
  }
  return scores;
}

void train(const std::string& name, const std::string& folder, std::int64_t steps) {
  const auto loaded = models::load_model(name);
  const models::LoraConfig lora{.r = 8, .alpha = 16};
  models::attach_lora(*loaded.model, lora, /*seed=*/0);

  std::vector<data::Prompt> prompts;
  for (const std::string start : {"Once upon a time", "The weather today", "My favourite book", "In the old town"})
    prompts.push_back({.id = start, .text = start});
  data::encode_prompts(prompts, loaded.text);
  algorithms::PromptStream stream(prompts, /*seed=*/0);

  algorithms::PpoConfig config;
  config.steps = steps;
  config.batch = 16;
  config.sampling.max_new_tokens = 16;
  config.sign_test = false;  // or give the hooks two samples that the reward has to order
  Run run({.folder = folder, .overwrite = true}, to_toml(config), {{"algorithm", "ppo"}});
  algorithms::train({.policy = *loaded.model}, stream, config,
                    {.generate =
                         [&](std::span<const data::Prompt> asked, std::int64_t version) {
                           return generation::generate(*loaded.model, loaded.text, asked, config.sampling, {.policy_version = version});
                         },
                     .reward = word_length,
                     .write_model =
                         [&](const std::filesystem::path& to) {
                           models::save_adapter(to, *loaded.model, lora, {.base = loaded.source.string()});
                         }},
                    run);
}

int main(int argc, char** argv) {
  try {
    train(argc > 1 ? argv[1] : "smollm2-135m", argc > 2 ? argv[2] : "runs/long_words", argc > 3 ? std::stoll(argv[3]) : 20);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
