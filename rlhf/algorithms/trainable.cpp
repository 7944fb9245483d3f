#include "rlhf/algorithms/trainable.h"

#include "rlhf/models/lora.h"

namespace rlhf::algorithms {

bool has_adapters(models::LanguageModel& model) { return !models::lora_parameters(model).empty(); }

void freeze(models::LanguageModel& model) {
  auto turn_off = [](Tensor tensor) {
    tensor.mutable_grad().reset();
    tensor.set_requires_grad(false);
  };
  for (const auto& [name, tensor] : model.weights()) turn_off(tensor);
  for (const auto& [name, tensor] : models::lora_parameters(model)) turn_off(tensor);
}

NamedParameters trainable_parameters(models::LanguageModel& model) {
  freeze(model);
  NamedParameters parameters = models::lora_parameters(model);
  if (parameters.empty())
    for (const auto& [name, tensor] : model.weights()) parameters.emplace_back(name, tensor);
  for (auto& [name, tensor] : parameters) tensor.set_requires_grad(true);
  return parameters;
}

TrainingScope::TrainingScope(models::LanguageModel& model) : model_(model), parameters_(trainable_parameters(model)) {}

TrainingScope::~TrainingScope() { freeze(model_); }

}  // namespace rlhf::algorithms
