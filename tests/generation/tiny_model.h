#pragma once
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/core/safetensors.h"
#include "rlhf/data/prompt.h"
#include "rlhf/models/language_model.h"
#include "rlhf/text/bundle.h"

namespace rlhf::generation {

/// A model of tests/reference/models: 264 tokens (256 bytes, then <|begin|>, <|end|>, ...), random weights.
struct TinyModel {
  std::unique_ptr<models::LanguageModel> model;
  text::TextBundle text;
  nlohmann::json golden;  // inputs, greedy
};

inline TinyModel tiny_model(const std::string& name) {
  const std::filesystem::path folder = RLHF_SOURCE_DIR "/tests/reference/models/" + name;
  const auto weights = std::make_shared<SafetensorsFile>(SafetensorsFile::open(folder / "model.safetensors"));
  const models::WeightSource source{.tensor = [weights](const std::string& tensor) { return weights->tensor(tensor); },
                                    .has = [weights](const std::string& tensor) { return weights->has(tensor); }};
  std::ifstream config_file(folder / "config.json"), golden_file(folder / "golden.json");
  const auto config = nlohmann::json::parse(config_file);
  return {.model = models::builtin_models().at(config["model_type"])(config, source),
          .text = text::TextBundle::from_hf_directory(folder),
          .golden = nlohmann::json::parse(golden_file)};
}

inline data::Prompt prompt_of(const TinyModel& tiny, const std::string& id, const std::string& text) {
  data::Prompt prompt;
  prompt.id = id;
  prompt.text = text;
  prompt.ids = tiny.text.tokenizer.encode(text);
  return prompt;
}

}  // namespace rlhf::generation
