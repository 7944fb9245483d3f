#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/core/safetensors.h"
#include "rlhf/models/language_model.h"

namespace rlhf::models {

/// model.safetensors, or the shards that model.safetensors.index.json lists. Opening reads headers only.
class SafetensorsShards {
 public:
  /// Throws rlhf::Error (bad_data) when files are missing or don't hold what the index says.
  static SafetensorsShards open(const std::filesystem::path& folder);

  bool has(const std::string& name) const { return place_.contains(name); }
  Tensor tensor(const std::string& name) const;  // as stored; throws with the name most like it
  std::vector<std::string> names() const;

 private:
  std::filesystem::path folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::size_t> place_;
};

/// A JSON file of a model folder. Throws rlhf::Error (bad_data) unless it holds an object.
nlohmann::json read_json_object(const std::filesystem::path& file);

/// Weights as float32. Base-model checkpoints that leave out the leading "model." or "transformer." are understood.
///   mapped   float32 tensors stay views on the files
WeightSource hf_weights(SafetensorsShards shards, bool mapped);

/// Writes model.safetensors, or shards of at most `shard_bytes` and their index. What an earlier export left is
/// removed.
void write_weights(const std::filesystem::path& folder, const std::map<std::string, Tensor>& weights,
                   std::int64_t shard_bytes);

}  // namespace rlhf::models
