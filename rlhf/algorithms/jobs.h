#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "rlhf/algorithms/job.h"
#include "rlhf/models/language_model.h"
#include "rlhf/models/lora.h"
#include "rlhf/models/model_files.h"
#include "rlhf/rewards/table.h"

namespace rlhf::algorithms {

std::unique_ptr<Job> make_sft_job(models::ModelTable models);
std::unique_ptr<Job> make_reward_model_job(models::ModelTable models);
std::unique_ptr<Job> make_ppo_job(models::ModelTable models, rewards::RewardTable rewards);

enum class Trained { adapters, all };

/// The model of a job and which of its weights learn.
struct ModelSettings {
  std::string model = "smollm2-135m";   // a folder, a GGUF file, a run, or a name
  Trained trained = Trained::adapters;
  models::LoraConfig lora;              // adapters only

  void fields(Fields& f);
};

/// A PEFT folder where adapters are trained, naming `base` as what they belong to; a whole Hugging Face model else. With the
/// head of a reward model where there is one.
void save_trained(const std::filesystem::path& folder, const models::LoadedModel& loaded, const ModelSettings& settings,
                  const std::string& base, const std::optional<models::ScalarHead>& score = {});

/// A model ready to be trained, and how it is written down.
struct Trainee {
  models::LoadedModel loaded;
  ModelSettings settings;

  models::LanguageModel& model() const { return *loaded.model; }
  WriteModel writer(std::function<std::optional<models::ScalarHead>()> score = {}) const;
};
Trainee load_trainee(const ModelSettings& settings, const models::ModelTable& models, std::uint64_t seed);

}  // namespace rlhf::algorithms
