#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "rlhf/models/heads.h"
#include "rlhf/models/language_model.h"
#include "rlhf/models/lora.h"

namespace rlhf::models {

/// adapter_config.json, as PEFT writes it.
struct AdapterDescription {
  LoraConfig lora;                // target_modules holds the paths that a regular expression matched, if it was one
  std::string base;               // base_model_name_or_path; may be empty
  std::string base_weights;       // fingerprint of the base's weights; empty in files of other programs
  nlohmann::ordered_json config;  // the whole file: the order of its patterns counts
};

struct AdapterOptions {
  std::string base;                 // base_model_name_or_path: how load_model finds the base again
  std::optional<ScalarHead> score;  // a reward model's head, PEFT's modules_to_save
  std::optional<ScalarHead> value;  // value_head.safetensors
};

/// Writes the adapter attached to `model` as a PEFT folder: adapter_model.safetensors, value_head.safetensors, then
/// adapter_config.json. The base's fingerprint is kept in the metadata of the tensors' file.
void save_adapter(const std::filesystem::path& folder, LanguageModel& model, const LoraConfig& config,
                  const AdapterOptions& options);

/// Reads adapter_config.json alone. Throws rlhf::Error (bad_data) for what would change the result and isn't supported
/// (use_dora, bias, other PEFT methods, ...).
AdapterDescription read_adapter_config(const std::filesystem::path& folder);

struct LoadedAdapter {
  AdapterDescription description;
  std::optional<ScalarHead> score, value;
};

/// Attaches the adapter in `folder` to `model`, with rank_pattern and alpha_pattern. Each tensor must find its layer
/// and each chosen layer its tensors. Throws rlhf::Error (check) when the base's weights aren't those that the adapter
/// was trained on, unless `allow_other_base`.
LoadedAdapter load_adapter(const std::filesystem::path& folder, LanguageModel& model, bool allow_other_base = false);

/// SHA-256 over the names, shapes and evenly spaced values of a model's weights, adapters left out. The same for a
/// model and its exact copies in any file format; quick, so that it can be taken at each load.
std::string weights_fingerprint(const LanguageModel& model);

/// value_head.safetensors, with the names TRL gives: v_head.summary.weight, v_head.summary.bias.
void save_value_head(const std::filesystem::path& folder, const ScalarHead& head);
std::optional<ScalarHead> load_value_head(const std::filesystem::path& folder);

}  // namespace rlhf::models
