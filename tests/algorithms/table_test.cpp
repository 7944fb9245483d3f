#include "rlhf/algorithms/table.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "rlhf/algorithms/reward_model.h"
#include "rlhf/core/error.h"
#include "rlhf/core/fields.h"
#include "tiny.h"

namespace rlhf::algorithms {
namespace {

const char* tiny_folder = RLHF_SOURCE_DIR "/tests/reference/models/llama_tied";

/// Runs an algorithm as the command line does: by name, from settings.
void run_by_name(const Scratch& scratch, const std::string& algorithm, const std::string& folder, const std::vector<std::string>& settings) {
  const auto job = find_algorithm(builtin_algorithms(), algorithm);
  Fields fields;
  job->fields(fields);
  for (const auto& setting : settings) apply_override(fields, setting);
  rlhf::Run run(scratch.run(folder), to_toml(fields), {});
  job->run(run);
}

TEST(AlgorithmTable, NamesAreUniqueSettings) {
  for (const auto& [name, make] : builtin_algorithms()) {
    Fields fields;
    const auto job = make();
    job->fields(fields);
    std::set<std::string> paths;
    for (const auto& field : fields.all()) EXPECT_TRUE(paths.insert(field.path).second) << name << ": " << field.path;
    EXPECT_NE(fields.find("model"), nullptr);
  }
  EXPECT_THROW(find_algorithm(builtin_algorithms(), "pp0"), Error);
}

TEST(AlgorithmTable, SftThenRewardModelThenPpoFromFiles) {
  const Scratch scratch;
  std::ofstream demonstrations(scratch.path() / "demonstrations.jsonl"), pairs(scratch.path() / "pairs.jsonl"), prompts(scratch.path() / "prompts.jsonl");
  for (int i = 0; i < 24; ++i) {
    const std::string word(1 + i % 5, char('a' + i % 7));
    demonstrations << nlohmann::json{{"prompt", "say " + word}, {"completion", word + word}} << "\n";
    pairs << nlohmann::json{{"prompt", "say " + word}, {"chosen", word + "!!!" + word}, {"rejected", word + "??" + word}} << "\n";
    prompts << nlohmann::json{{"prompt", "say " + std::to_string(i)}} << "\n";
  }
  demonstrations.close(), pairs.close(), prompts.close();
  const std::string model = std::string("model=") + tiny_folder;
  run_by_name(scratch, "sft", "sft", {model, "data=" + (scratch.path() / "demonstrations.jsonl").string(), "lora.r=2", "allow_drops=true"});
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "sft/checkpoints/latest"));
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "sft/preflight.json"));

  run_by_name(scratch, "reward_model", "rm", {model, "data=" + (scratch.path() / "pairs.jsonl").string(), "reading.layers=0,1", "reading.pooling=completion_mean"});
  EXPECT_EQ(metric(scratch, "rm", "train/accuracy").at(0), 1);

  const std::vector<std::string> ppo{model, "prompts=" + (scratch.path() / "prompts.jsonl").string(), "steps=2", "batch=8", "epochs=1", "sampling.max_new_tokens=4", "lora.r=2"};
  auto learned = ppo, lengths = ppo;
  learned.push_back("reward=" + (scratch.path() / "rm/reward_model").string());
  lengths.push_back("reward=length");
  run_by_name(scratch, "ppo", "ppo", learned);
  run_by_name(scratch, "ppo", "lengths", lengths);
  EXPECT_EQ(metric(scratch, "ppo", "objective/kl").at(0), 0);
  auto unknown = ppo;
  unknown.push_back("reward=nonsense");
  EXPECT_THROW(run_by_name(scratch, "ppo", "unknown", unknown), Error);
}

TEST(AlgorithmTable, ATrainedRewardModelIsReadBackByPpo) {
  const Scratch scratch;
  std::ofstream pairs(scratch.path() / "pairs.jsonl"), prompts(scratch.path() / "prompts.jsonl");
  for (int i = 0; i < 24; ++i) {
    pairs << nlohmann::json{{"prompt", "say " + std::to_string(i)}, {"chosen", std::to_string(i) + "!!!"}, {"rejected", std::to_string(i) + "??"}} << "\n";
    prompts << nlohmann::json{{"prompt", "say " + std::to_string(i)}} << "\n";
  }
  pairs.close(), prompts.close();
  const std::string model = std::string("model=") + tiny_folder;
  for (const std::string trained : {"adapters", "all"}) {
    run_by_name(scratch, "reward_model", "rm-" + trained, {model, "trained=" + trained, "trunk=trained", "batch=8", "data=" + (scratch.path() / "pairs.jsonl").string()});
    run_by_name(scratch, "ppo", "ppo-" + trained,
                {model, "trained=" + trained, "prompts=" + (scratch.path() / "prompts.jsonl").string(), "steps=1", "batch=8", "epochs=1", "sampling.max_new_tokens=4",
                 "reward=" + (scratch.path() / ("rm-" + trained) / "reward_model").string()});
    EXPECT_EQ(metric(scratch, "ppo-" + trained, "objective/kl").at(0), 0);
  }
}

}  // namespace
}  // namespace rlhf::algorithms
