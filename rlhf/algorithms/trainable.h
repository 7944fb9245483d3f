#pragma once
#include "rlhf/algorithms/optimizer.h"
#include "rlhf/models/language_model.h"

namespace rlhf::algorithms {

/// What training changes: the adapters where the model has some, every weight where it has none. Turns their gradients on
/// and those of all other weights off.
NamedParameters trainable_parameters(models::LanguageModel& model);

/// Whether LoRA adapters are attached.
bool has_adapters(models::LanguageModel& model);

/// Turns all gradients off again, so that later forward passes keep nothing.
void freeze(models::LanguageModel& model);

/// Frees the gradients and turns them off when training ends, also when it ends by an exception.
class TrainingScope {
 public:
  explicit TrainingScope(models::LanguageModel& model);
  ~TrainingScope();
  TrainingScope(const TrainingScope&) = delete;
  TrainingScope& operator=(const TrainingScope&) = delete;

  const NamedParameters& parameters() const { return parameters_; }

 private:
  models::LanguageModel& model_;
  NamedParameters parameters_;
};

}  // namespace rlhf::algorithms
