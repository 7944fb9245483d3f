#include "rlhf/algorithms/jobs.h"

#include "rlhf/models/adapter_files.h"

namespace rlhf::algorithms {

void ModelSettings::fields(Fields& f) {
  f.field("model", model, "model to start from: a folder, a GGUF file, a run, or a name");
  f.choice("trained", trained, {{"adapters", Trained::adapters}, {"all", Trained::all}}, "which weights learn: LoRA adapters, or all of them");
  f.group("lora", lora, "the adapters");
}

void save_trained(const std::filesystem::path& folder, const models::LoadedModel& loaded, const ModelSettings& settings,
                  const std::string& base, const std::optional<models::ScalarHead>& score) {
  if (settings.trained == Trained::adapters) models::save_adapter(folder, *loaded.model, settings.lora, {.base = base, .score = score});
  else models::save_hf(folder, *loaded.model, loaded.text, {.score = score});
}

Trainee load_trainee(const ModelSettings& settings, const models::ModelTable& models, std::uint64_t seed) {
  Trainee trainee{.loaded = models::load_model(settings.model, models), .settings = settings};
  if (trainee.loaded.adapter) models::merge_lora(trainee.model());  // what was learnt before becomes the start and the reference
  trainee.loaded.adapter.reset();
  if (settings.trained == Trained::adapters) models::attach_lora(trainee.model(), settings.lora, seed);
  return trainee;
}

WriteModel Trainee::writer(std::function<std::optional<models::ScalarHead>()> score) const {
  return [this, score](const std::filesystem::path& folder) {
    save_trained(folder, loaded, settings, settings.model, score ? score() : std::nullopt);
  };
}

}  // namespace rlhf::algorithms
