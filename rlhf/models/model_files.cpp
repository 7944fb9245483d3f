#include "rlhf/models/model_files.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/models/adapter_files.h"
#include "rlhf/models/gguf_config.h"
#include "rlhf/models/gguf_weights.h"
#include "rlhf/models/hf_folder.h"
#include "rlhf/models/model_location.h"

namespace rlhf::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::unique_ptr<LanguageModel> build(const json& config, const WeightSource& weights, const ModelTable& table,
                                     const fs::path& where) {
  const auto type =
      config.contains("model_type") && config["model_type"].is_string() ? config["model_type"].get<std::string>() : "";
  const auto family = table.find(type);
  if (family != table.end()) return family->second(config, weights);
  std::string known;
  for (const auto& [name, make] : table) known += (known.empty() ? "" : ", ") + name;
  throw Error(
      {.category = Category::bad_data,
       .where = where.string(),
       .what = type.empty() ? "its config.json has no model_type" : "models of type '" + type + "' are not supported",
       .fix = "Supported are " + known + "."});
}

/// An embedding may have spare rows; a tokenizer that makes ids beyond it belongs to another model.
void check_vocabulary(const LoadedModel& loaded) {
  const auto rows = loaded.model->shape().vocabulary;
  if (loaded.text.tokenizer.size() <= rows) return;
  throw Error({.category = Category::bad_data,
               .where = loaded.source.string(),
               .what = "its tokenizer makes ids up to " + std::to_string(loaded.text.tokenizer.size() - 1) +
                       ", but the embedding has " + std::to_string(rows) + " rows (config.json: vocab_size)",
               .fix = "Use the tokenizer that belongs to the weights, or enlarge the embedding."});
}

std::optional<ScalarHead> read_score(const WeightSource& weights, std::int64_t width, const fs::path& where) {
  if (!weights.has("score.weight")) return std::nullopt;
  ScalarHead head{.weight = weights.tensor("score.weight"),
                  .bias = weights.has("score.bias") ? weights.tensor("score.bias") : Tensor()};
  if (head.weight.sizes() == at::IntArrayRef({1, width})) return head;
  throw Error({.category = Category::bad_data,
               .where = where.string(),
               .what = "score.weight has " + std::to_string(head.weight.size(0)) + " rows; a reward model has one",
               .fix = "A classifier with several labels is not a reward model."});
}

void refuse_quantized(const json& config, const fs::path& folder) {
  if (!config.contains("quantization_config") || config["quantization_config"].is_null()) return;
  throw Error({.category = Category::bad_data,
               .where = (folder / "config.json").string(),
               .what = "the weights are quantised (" +
                       config["quantization_config"].value("quant_method", std::string("quantization_config")) + ")",
               .fix = "Use the unquantised checkpoint, or a GGUF file."});
}

LoadedModel load_hf(const fs::path& folder, const ModelTable& table, const LoadOptions& options) {
  auto config = read_json_object(folder / "config.json");
  refuse_quantized(config, folder);
  const auto weights = hf_weights(SafetensorsShards::open(folder), options.mapped);
  // A reward model's folder has no LM head, whatever its base's config says about tying it.
  if (weights.has("score.weight") && !weights.has("lm_head.weight")) config["tie_word_embeddings"] = true;
  auto model = build(config, weights, table, folder);
  auto score = read_score(weights, model->shape().width, folder);
  return {.model = std::move(model),
          .text = text::TextBundle::from_hf_directory(folder),
          .source = folder,
          .format = "hf",
          .score = std::move(score),
          .value = load_value_head(folder),
          .adapter = std::nullopt,
          .base = {}};
}

LoadedModel load_gguf(const fs::path& path, const ModelTable& table) {
  const auto file = std::make_shared<const GgufFile>(GgufFile::open(path));
  const auto config = config_from_gguf(*file);
  auto model = build(config, gguf_weights(file, config), table, path);
  return {.model = std::move(model),
          .text = text::TextBundle::from_gguf_metadata(tokenizer_from_gguf(*file), path.string()),
          .source = path,
          .format = "gguf",
          .score = std::nullopt,
          .value = std::nullopt,
          .adapter = std::nullopt,
          .base = {}};
}

LoadedModel load_plain(const ModelLocation& location, const ModelTable& table, const LoadOptions& options) {
  auto loaded =
      location.format == ModelFormat::gguf ? load_gguf(location.path, table) : load_hf(location.path, table, options);
  check_vocabulary(loaded);
  return loaded;
}

LoadedModel load_on_base(const fs::path& folder, const ModelTable& table, const LoadOptions& options) {
  const auto description = read_adapter_config(folder);
  if (description.base.empty())
    throw Error({.category = Category::bad_data,
                 .where = (folder / "adapter_config.json").string(),
                 .what = "base_model_name_or_path is empty",
                 .fix = "Put the path of the base model there."});
  const auto base = locate_model(description.base, folder);
  if (base.format == ModelFormat::adapter)
    throw Error({.category = Category::bad_data,
                 .where = (folder / "adapter_config.json").string(),
                 .what = "its base is an adapter itself: " + base.path.string(),
                 .fix = "Merge that one first: rlhf merge."});
  auto loaded = load_plain(base, table, options);
  auto adapter = load_adapter(folder, *loaded.model, options.allow_other_base);
  if (fs::exists(folder / "tokenizer.json")) {
    loaded.text = text::TextBundle::from_hf_directory(folder);
    check_vocabulary(loaded);
  }
  loaded.base = std::exchange(loaded.source, folder);
  loaded.format = "peft";
  loaded.adapter = std::move(adapter.description.lora);
  if (adapter.score) loaded.score = std::move(adapter.score);
  if (adapter.value) loaded.value = std::move(adapter.value);
  return loaded;
}

}  // namespace

LoadedModel load_model(std::string_view name_or_path, const ModelTable& table, const LoadOptions& options) {
  const auto location = locate_model(name_or_path);
  return location.format == ModelFormat::adapter ? load_on_base(location.path, table, options)
                                                 : load_plain(location, table, options);
}

}  // namespace rlhf::models
