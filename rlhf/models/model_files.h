#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "rlhf/models/heads.h"
#include "rlhf/models/language_model.h"
#include "rlhf/models/lora.h"
#include "rlhf/text/bundle.h"

namespace rlhf::models {

/// A model read from files, with everything that lay beside it.
struct LoadedModel {
  std::unique_ptr<LanguageModel> model;
  text::TextBundle text;
  std::filesystem::path source;       // the folder or file that was read
  std::string format;                 // "hf", "gguf" or "peft" (an adapter on a base of either kind)
  std::optional<ScalarHead> score;    // of a reward model
  std::optional<ScalarHead> value;    // value_head.safetensors
  std::optional<LoraConfig> adapter;  // "peft": its settings; its tensors are attached to the model
  std::filesystem::path base;         // "peft": where the base was read from
};

struct LoadOptions {
  bool mapped = false;            // float32 safetensors stay a view on the file: for frozen models; saves their memory
  bool allow_other_base = false;  // attach an adapter although the base's weights aren't those it was trained on
};

/// Reads a model. `name_or_path` is one of
///   a Hugging Face folder     config.json, model.safetensors (or shards with an index), tokenizer.json
///   a PEFT folder             adapter_config.json, adapter_model.safetensors; its base is looked up and read first
///   a .gguf file              or a folder that holds one of them and nothing else to read
///   a run folder              its newest checkpoint
///   a name                    looked up in the folders of $RLHF_MODELS (separated by ':'), then in
///                             ${XDG_CACHE_HOME:-~/.cache}/rlhf.cpp/models: NAME/ or NAME.gguf
/// Weights become float32. Throws rlhf::Error, and says what was found, what is missing and where it was looked for.
LoadedModel load_model(std::string_view name_or_path, const ModelTable& table = builtin_models(),
                       const LoadOptions& options = {});

/// How weights are stored in an export.
enum class StoredAs { f32, f16, bf16, q8_0 };

/// "f32", "float16", "bf16", ...; throws rlhf::Error (usage) for another word.
StoredAs stored_as(std::string_view name);

struct SaveOptions {
  StoredAs dtype = StoredAs::f32;
  std::int64_t shard_bytes = std::int64_t{5} << 30;  // a larger model is split into files of at most this size
  std::optional<ScalarHead> score;  // makes it a reward model: XForSequenceClassification, score.weight
  std::optional<ScalarHead> value;  // written beside the model, as value_head.safetensors
};

/// Writes a folder that transformers and vLLM load: config.json (keys this library doesn't know are kept), safetensors
/// (a tied head is left out), the tokenizer's files as they came, generation_config.json. Files appear whole,
/// config.json last. Throws rlhf::Error (usage) for q8_0, and where an adapter is attached: it would be lost.
void save_hf(const std::filesystem::path& folder, LanguageModel& model, const text::TextBundle& text,
             const SaveOptions& options = {});

/// Writes one .gguf file with weights, tokenizer and chat template, as llama.cpp reads it.
/// Throws rlhf::Error (usage) for a family or tokenizer that the format cannot hold, and where an adapter is attached.
void save_gguf(const std::filesystem::path& file, LanguageModel& model, const text::TextBundle& text,
               StoredAs dtype = StoredAs::f16);

}  // namespace rlhf::models
