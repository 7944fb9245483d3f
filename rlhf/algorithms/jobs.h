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

/// A model ready to be trained, and how it is written down.
struct Trainee {
  models::LoadedModel loaded;
  ModelSettings settings;

  models::LanguageModel& model() const { return *loaded.model; }
  /// A PEFT folder where adapters are trained, a Hugging Face model else; with the head of a reward model where there is one.
  WriteModel writer(std::function<std::optional<models::ScalarHead>()> score = {}) const;
};
Trainee load_trainee(const ModelSettings& settings, const models::ModelTable& models, std::uint64_t seed);

}  // namespace rlhf::algorithms
