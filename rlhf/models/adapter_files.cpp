#include "rlhf/models/adapter_files.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/core/spelling.h"
#include "rlhf/models/adapter_targets.h"

namespace rlhf::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kTensors = "adapter_model.safetensors";
constexpr const char* kConfig = "adapter_config.json";
constexpr const char* kValueHead = "value_head.safetensors";
const std::string kPrefix = "base_model.model.";
const std::string kDown = ".lora_A.weight", kUp = ".lora_B.weight";

[[noreturn]] void bad(const fs::path& where, std::string what, std::string fix) {
  throw Error(
      {.category = Category::bad_data, .where = where.string(), .what = std::move(what), .fix = std::move(fix)});
}

std::string shape_text(const Tensor& tensor) {
  std::string text = "[";
  for (const auto size : tensor.sizes()) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

double alpha_of(const LoraPair& pair, bool rslora) {
  const auto rank = static_cast<double>(pair.down.size(0));
  return pair.scale * (rslora ? std::sqrt(rank) : rank);
}

bool same(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)); }

ordered_json describe(LanguageModel& model, const LoraConfig& config, const AdapterOptions& options) {
  std::map<std::string, double> ranks, alphas;
  for (const auto& [path, layer] : model.linears()) {
    if (!layer->lora) continue;
    const auto rank = layer->lora->down.size(0);
    if (rank != config.r) ranks[path] = static_cast<double>(rank);
    if (!same(alpha_of(*layer->lora, config.rslora), config.alpha))
      alphas[path] = alpha_of(*layer->lora, config.rslora);
  }
  const auto whole = [](double value) {
    return value == std::floor(value) ? ordered_json(static_cast<std::int64_t>(value)) : ordered_json(value);
  };
  ordered_json json = {{"peft_type", "LORA"},
                       {"task_type", options.score ? "SEQ_CLS" : "CAUSAL_LM"},
                       {"base_model_name_or_path", options.base},
                       {"revision", nullptr},
                       {"inference_mode", true},
                       {"r", config.r},
                       {"lora_alpha", whole(config.alpha)},
                       {"lora_dropout", 0.0},
                       {"bias", "none"},
                       {"fan_in_fan_out", model.shape().family == "gpt2"},
                       {"init_lora_weights", true},
                       {"use_rslora", config.rslora},
                       {"use_dora", false},
                       {"target_modules", names_of_adapted(model)},
                       {"exclude_modules", nullptr},
                       {"modules_to_save", options.score ? ordered_json::array({"score"}) : ordered_json(nullptr)},
                       {"layers_to_transform", nullptr},
                       {"layers_pattern", nullptr},
                       {"rank_pattern", ordered_json::object()},
                       {"alpha_pattern", ordered_json::object()}};
  for (const auto& [path, rank] : ranks) json["rank_pattern"][path] = whole(rank);
  for (const auto& [path, alpha] : alphas) json["alpha_pattern"][path] = whole(alpha);
  return json;
}

bool is_set(const ordered_json& config, const char* key) {
  if (!config.contains(key)) return false;
  const auto& value = config[key];
  return !(value.is_null() || value == false || (value.is_structured() && value.empty()));
}

/// Settings that change what the adapter computes, in ways this library doesn't.
void refuse_unsupported(const ordered_json& config, const fs::path& where) {
  const std::string fix = "Merge the adapter with PEFT (merge_and_unload), and load the merged model.";
  if (config.value("peft_type", std::string()) != "LORA")
    bad(where,
        "peft_type is " + (config.contains("peft_type") ? config["peft_type"].dump() : "missing") +
            "; LORA is supported",
        fix);
  for (const auto* key : {"use_dora", "lora_bias", "use_qalora", "layer_replication", "trainable_token_indices",
                          "target_parameters", "alora_invocation_tokens", "arrow_config", "use_bdlora", "kasa_config",
                          "velora_config", "monteclora_config", "lora_ga_config", "corda_config"})
    if (is_set(config, key)) bad(where, std::string(key) + " is set, which is not supported", fix);
  if (config.contains("bias") && config["bias"] != "none")
    bad(where, "bias is " + config["bias"].dump() + "; only \"none\" is supported", fix);
  if (is_set(config, "init_lora_weights") && config["init_lora_weights"].is_string()) {
    const std::string start = config["init_lora_weights"];
    // These change the base's weights before training.
    if (start.starts_with("pissa") || start == "olora" || start == "corda" || start == "loftq")
      bad(where, "init_lora_weights is \"" + start + "\", which changes the base model", fix);
  }
  if (!is_set(config, "modules_to_save")) return;
  for (const auto& module : config["modules_to_save"])
    if (module != "score") bad(where, "modules_to_save holds " + module.dump() + "; only \"score\" is supported", fix);
}

template <class T>
T typed(const ordered_json& config, const char* key, T otherwise, const fs::path& where) {
  if (!config.contains(key) || config[key].is_null()) return otherwise;
  try {
    return config[key].get<T>();
  } catch (const ordered_json::exception&) {
    bad(where, std::string(key) + " is " + config[key].dump(), "Write the adapter again with PEFT.");
  }
}

/// The tensors of one layer; nothing if the file has none for it.
std::optional<LoraPair> read_pair(const SafetensorsFile& file, const std::string& path, const Linear& layer) {
  const auto down = kPrefix + path + kDown, up = kPrefix + path + kUp;
  if (!file.has(down) && !file.has(up)) return std::nullopt;
  LoraPair pair{.down = file.tensor(down).to(at::kFloat).clone(), .up = file.tensor(up).to(at::kFloat).clone()};
  const bool fits = pair.down.dim() == 2 && pair.up.dim() == 2 && pair.down.size(0) > 0 &&
                    pair.down.size(0) == pair.up.size(1) && pair.down.size(1) == layer.weight.size(1) &&
                    pair.up.size(0) == layer.weight.size(0);
  if (!fits)
    bad(file.name(),
        path + ": lora_A " + shape_text(pair.down) + " and lora_B " + shape_text(pair.up) + " do not fit the layer " +
            shape_text(layer.weight),
        "The adapter belongs to another base model.");
  return pair;
}

void check_all_used(const SafetensorsFile& file, const std::set<std::string>& used) {
  for (const auto& name : file.names())
    if (!used.contains(name))
      bad(file.name(), "the tensor '" + name + "' belongs to no layer of the base model",
          "Check base_model_name_or_path; it may name another family.");
}

void check_base(const SafetensorsFile& file, const LanguageModel& model, bool allow_other_base) {
  const auto found = file.metadata().find("base_weights");
  if (found == file.metadata().end() || allow_other_base || found->second == weights_fingerprint(model)) return;
  throw Error({.category = Category::check,
               .where = file.name(),
               .what = "the adapter was trained on other weights than those of this base model",
               .fix = "Name the base it was trained on (base_model_name_or_path), or allow another one explicitly."});
}

std::optional<ScalarHead> read_score(const SafetensorsFile& file, std::int64_t width, std::set<std::string>& used) {
  const auto weight = kPrefix + "score.weight", bias = kPrefix + "score.bias";
  if (!file.has(weight)) return std::nullopt;
  ScalarHead head{.weight = file.tensor(weight).to(at::kFloat).clone(),
                  .bias = file.has(bias) ? file.tensor(bias).to(at::kFloat).clone() : Tensor()};
  if (head.weight.sizes() != at::IntArrayRef({1, width}))
    bad(file.name(), "score.weight is " + shape_text(head.weight) + "; expected [1, " + std::to_string(width) + "]",
        "A reward model has one score.");
  used.insert({weight, bias});
  return head;
}

}  // namespace

std::string weights_fingerprint(const LanguageModel& model) {
  constexpr std::int64_t kSamples = 1024;
  std::string bytes;
  for (const auto& [name, weight] : model.weights()) {
    bytes += name + shape_text(weight);
    const auto flat = weight.detach().to(at::kCPU, at::kFloat).contiguous();
    const auto* values = flat.const_data_ptr<float>();
    const auto step = std::max<std::int64_t>(1, flat.numel() / kSamples);
    for (std::int64_t i = 0; i < flat.numel(); i += step)
      bytes.append(reinterpret_cast<const char*>(values + i), sizeof(float));
  }
  return sha256(bytes);
}

void save_value_head(const fs::path& folder, const ScalarHead& head) {
  std::map<std::string, Tensor> tensors{{"v_head.summary.weight", head.weight}};
  if (head.bias.defined()) tensors["v_head.summary.bias"] = head.bias;
  write_safetensors(folder / kValueHead, tensors);
}

std::optional<ScalarHead> load_value_head(const fs::path& folder) {
  if (!fs::exists(folder / kValueHead)) return std::nullopt;
  const auto file = SafetensorsFile::open(folder / kValueHead);
  const std::string bias = "v_head.summary.bias";
  return ScalarHead{.weight = file.tensor("v_head.summary.weight").to(at::kFloat).clone(),
                    .bias = file.has(bias) ? file.tensor(bias).to(at::kFloat).clone() : Tensor()};
}

void save_adapter(const fs::path& folder, LanguageModel& model, const LoraConfig& config,
                  const AdapterOptions& options) {
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : lora_parameters(model)) tensors[kPrefix + name] = tensor;
  if (tensors.empty())
    throw Error({.category = Category::usage,
                 .where = "save_adapter",
                 .what = "no adapter is attached to the model",
                 .fix = "Attach one (attach_lora), or write the model with save_hf."});
  if (options.score) {
    tensors[kPrefix + "score.weight"] = options.score->weight;
    if (options.score->bias.defined()) tensors[kPrefix + "score.bias"] = options.score->bias;
  }
  make_folder(folder);
  write_safetensors(folder / kTensors, tensors, {{"base_weights", weights_fingerprint(model)}});
  if (options.value) save_value_head(folder, *options.value);
  write_file_atomic(folder / kConfig, describe(model, config, options).dump(2) + "\n");
}

AdapterDescription read_adapter_config(const fs::path& folder) {
  const auto where = folder / kConfig;
  const auto config = ordered_json::parse(read_file(where), nullptr, false);
  if (!config.is_object()) bad(where, "is not a JSON object", "Write the adapter again with PEFT.");
  refuse_unsupported(config, where);
  AdapterDescription found;
  found.lora.r = typed<std::int64_t>(config, "r", 8, where);
  found.lora.alpha = typed<double>(config, "lora_alpha", 8, where);
  found.lora.rslora = typed<bool>(config, "use_rslora", false, where);
  found.lora.target_modules.clear();
  if (config.contains("target_modules") && config["target_modules"].is_array())
    found.lora.target_modules = typed<std::vector<std::string>>(config, "target_modules", {}, where);
  if (found.lora.r <= 0) bad(where, "r is " + std::to_string(found.lora.r), "The rank is a positive number.");
  found.base = typed<std::string>(config, "base_model_name_or_path", "", where);
  found.config = config;
  return found;
}

LoadedAdapter load_adapter(const fs::path& folder, LanguageModel& model, bool allow_other_base) {
  LoadedAdapter loaded{
      .description = read_adapter_config(folder), .score = std::nullopt, .value = load_value_head(folder)};
  auto& lora = loaded.description.lora;
  const auto& config = loaded.description.config;
  const auto file = SafetensorsFile::open(folder / kTensors);
  check_base(file, model, allow_other_base);
  if (const auto known = file.metadata().find("base_weights"); known != file.metadata().end())
    loaded.description.base_weights = known->second;

  const AdapterTargets targets(config, folder / kConfig);
  std::set<std::string> used;
  std::map<std::string, LoraPair> pairs;  // attached only when everything has been checked
  for (const auto& [path, layer] : model.linears()) {
    auto pair = read_pair(file, path, *layer);
    if (!pair && targets.certain() && targets.chosen(path))
      bad(file.name(), "has no tensors for the layer '" + path + "', which target_modules chooses",
          "The file may be incomplete; write the adapter again.");
    if (!pair) continue;
    const auto rank = targets.rank(path, lora.r);
    if (pair->down.size(0) != rank)
      bad(file.name(),
          path + ": lora_A has " + std::to_string(pair->down.size(0)) + " rows; r (with rank_pattern) says " +
              std::to_string(rank),
          "Tensors and adapter_config.json belong to different adapters.");
    pair->scale = targets.alpha(path, lora.alpha) /
                  (lora.rslora ? std::sqrt(static_cast<double>(rank)) : static_cast<double>(rank));
    pair->down.requires_grad_(true);
    pair->up.requires_grad_(true);
    used.insert({kPrefix + path + kDown, kPrefix + path + kUp});
    pairs.emplace(path, std::move(*pair));
  }
  loaded.score = read_score(file, model.shape().width, used);
  check_all_used(file, used);
  if (pairs.empty())
    bad(file.name(), "holds no adapter for any layer of the base model", "Check base_model_name_or_path.");
  auto layers = model.linears();
  for (auto& [path, pair] : pairs) layers.at(path)->lora = std::move(pair);
  if (lora.target_modules.empty()) lora.target_modules = names_of_adapted(model);
  return loaded;
}

}  // namespace rlhf::models
