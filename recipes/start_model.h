#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/core/run.h"
#include "rlhf/models/model_files.h"

namespace rlhf::recipes {

/// A small story teller trained from nothing, for machines and tests that have a minute.
struct StoryModelConfig {
  std::int64_t stories = 6000;      // generated; four sentences each
  std::int64_t vocabulary = 400;    // of its byte-level BPE
  std::int64_t layers = 2;
  std::int64_t width = 96;
  std::int64_t heads = 4;
  std::int64_t epochs = 1;
  std::int64_t batch = 32;
  double learning_rate = 3e-3;

  void fields(Fields& f);
};

/// The model called `name`, or, for the name "stories", one trained on generated stories in `run.folder()/start_model`
/// (a run of its own, gone on with when it was interrupted). Empty when the user asked to stop meanwhile.
std::optional<models::LoadedModel> load_start_model(const std::string& name, const StoryModelConfig& story,
                                                    std::uint64_t seed, Run& run);

/// Stories of an animal or a person with a mood and an event, as positive as negative on the whole. Deterministic.
std::vector<std::string> generated_stories(std::int64_t count, std::uint64_t seed);

}  // namespace rlhf::recipes
