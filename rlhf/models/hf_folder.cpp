#include "rlhf/models/hf_folder.h"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/spelling.h"

namespace rlhf::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

[[noreturn]] void bad(const fs::path& where, std::string what, std::string fix) {
  throw Error(
      {.category = Category::bad_data, .where = where.string(), .what = std::move(what), .fix = std::move(fix)});
}

[[noreturn]] void no_weights(const fs::path& folder) {
  const bool pickled = fs::exists(folder / "pytorch_model.bin") || fs::exists(folder / "pytorch_model.bin.index.json");
  bad(folder,
      pickled ? "has its weights in pytorch_model.bin only, which runs code when it is read"
              : "has no model.safetensors",
      pickled ? "Save the model once more with transformers: save_pretrained writes safetensors."
              : "Fetch the weights as well; a shard index is named model.safetensors.index.json.");
}

std::map<std::string, std::string> read_index(const fs::path& file) {
  const auto index = read_json_object(file);
  if (!index.contains("weight_map") || !index["weight_map"].is_object())
    bad(file, "has no weight_map", "Fetch the file again.");
  std::map<std::string, std::string> shard_of;
  for (const auto& [name, shard] : index["weight_map"].items()) {
    // A shard is a file beside the index: an index must not be able to reach anywhere else.
    if (!shard.is_string() || fs::path(shard.get<std::string>()).filename() != fs::path(shard.get<std::string>()))
      bad(file, "its weight_map names something other than a file beside it for '" + name + "'",
          "Fetch the file again.");
    shard_of[name] = shard.get<std::string>();
  }
  return shard_of;
}

/// "model.layers.0..." for a checkpoint that says "layers.0...".
std::string without_prefix(const std::string& name) {
  for (const std::string_view prefix : {"model.", "transformer."})
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  return name;
}

std::string shard_name(std::size_t index, std::size_t count) {
  return fmt::format("model-{:05}-of-{:05}.safetensors", index + 1, count);
}

void remove_stale(const fs::path& folder, const std::set<std::string>& written) {
  std::vector<fs::path> stale;
  for (const auto& item : fs::directory_iterator(folder)) {
    const auto name = item.path().filename().string();
    const bool ours =
        name == kSingle || name == kIndex || (name.starts_with("model-") && name.ends_with(".safetensors"));
    if (ours && !written.contains(name)) stale.push_back(item.path());
  }
  for (const auto& file : stale) fs::remove(file);
}

}  // namespace

json read_json_object(const fs::path& file) {
  auto value = json::parse(read_file(file), nullptr, false);
  if (!value.is_object()) bad(file, "is not a JSON object", "Fetch the file again.");
  return value;
}

SafetensorsShards SafetensorsShards::open(const fs::path& folder) {
  SafetensorsShards shards;
  shards.folder_ = folder;
  if (fs::exists(folder / kSingle)) {
    shards.files_.push_back(SafetensorsFile::open(folder / kSingle));
    for (const auto& name : shards.files_.front().names()) shards.place_[name] = 0;
    return shards;
  }
  if (!fs::exists(folder / kIndex)) no_weights(folder);
  std::map<std::string, std::size_t> opened;
  for (const auto& [name, shard] : read_index(folder / kIndex)) {
    if (!opened.contains(shard)) {
      if (!fs::exists(folder / shard))
        bad(folder, "lacks the shard " + shard + ", which its index lists", "Fetch the missing file.");
      opened[shard] = shards.files_.size();
      shards.files_.push_back(SafetensorsFile::open(folder / shard));
    }
    if (!shards.files_[opened[shard]].has(name))
      bad(folder / shard, "has no tensor '" + name + "', which the index says it holds",
          "Index and shards belong to different models: fetch both again.");
    shards.place_[name] = opened[shard];
  }
  return shards;
}

std::vector<std::string> SafetensorsShards::names() const {
  std::vector<std::string> all;
  for (const auto& [name, file] : place_) all.push_back(name);
  return all;
}

Tensor SafetensorsShards::tensor(const std::string& name) const {
  const auto found = place_.find(name);
  if (found != place_.end()) return files_[found->second].tensor(name);
  const auto similar = nearest(name, names());
  bad(folder_, "its weights have no tensor '" + name + "'",
      similar ? "The name most like it there is '" + *similar + "'; is config.json of the same model?"
              : "Take the config.json that belongs to the weights.");
}

WeightSource hf_weights(SafetensorsShards opened, bool mapped) {
  const auto shards = std::make_shared<const SafetensorsShards>(std::move(opened));
  const auto stored = [shards](const std::string& name) {
    const auto plain = without_prefix(name);
    return !shards->has(name) && shards->has(plain) ? plain : name;
  };
  WeightSource source;
  source.has = [shards, stored](const std::string& name) { return shards->has(stored(name)); };
  source.tensor = [shards, stored, mapped](const std::string& name) {
    const auto tensor = shards->tensor(stored(name));
    if (tensor.scalar_type() == at::kFloat) return mapped ? tensor : tensor.clone();
    if (!tensor.is_floating_point())
      throw Error({.category = Category::bad_data,
                   .where = name,
                   .what = std::string("the weight is stored as ") + c10::toString(tensor.scalar_type()),
                   .fix = "Use the unquantised checkpoint (float32, float16 or bfloat16), or a GGUF file."});
    return tensor.to(at::kFloat);
  };
  return source;
}

void write_weights(const fs::path& folder, const std::map<std::string, Tensor>& weights, std::int64_t shard_bytes) {
  std::vector<std::map<std::string, Tensor>> shards(1);
  std::int64_t filled = 0, total = 0;
  for (const auto& [name, tensor] : weights) {
    const auto bytes = static_cast<std::int64_t>(tensor.nbytes());
    if (filled > 0 && filled + bytes > shard_bytes) {
      shards.emplace_back();
      filled = 0;
    }
    shards.back()[name] = tensor;
    filled += bytes;
    total += bytes;
  }
  std::set<std::string> written;
  json index = {{"metadata", {{"total_size", total}}}, {"weight_map", json::object()}};
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const auto name = shards.size() == 1 ? std::string(kSingle) : shard_name(i, shards.size());
    write_safetensors(folder / name, shards[i]);
    written.insert(name);
    for (const auto& [tensor, ignored] : shards[i]) index["weight_map"][tensor] = name;
  }
  if (shards.size() > 1) {
    write_file_atomic(folder / kIndex, index.dump(2) + "\n");
    written.insert(kIndex);
  }
  remove_stale(folder, written);
}

}  // namespace rlhf::models
