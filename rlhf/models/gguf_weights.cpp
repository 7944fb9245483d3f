#include "rlhf/models/gguf_weights.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"
#include "rlhf/models/gguf_config.h"
#include "rlhf/models/gguf_names.h"
#include "rlhf/models/quantization.h"

namespace rlhf::models {
namespace {

constexpr std::int64_t kGrain = 64;  // blocks or more that a thread takes at once

std::int64_t whole(const nlohmann::json& config, const char* llama, const char* gpt2, std::int64_t otherwise) {
  return config.value(llama, config.value(gpt2, otherwise));
}

[[noreturn]] void missing(const GgufFile& file, const std::string& name, const std::string& stored) {
  std::vector<std::string> names;
  for (const auto& [known, tensor] : file.tensors()) names.push_back(known);
  const auto similar = nearest(stored, names);
  throw Error({.category = Category::bad_data,
               .where = file.name(),
               .what = "has no tensor '" + stored + "' (" + name + ")",
               .fix = similar ? "The name most like it there is '" + *similar + "'."
                              : "The file may be incomplete; fetch it again."});
}

}  // namespace

Tensor dequantize(const GgufTensor& tensor) {
  const auto block = ggml_block(tensor.type);
  auto values = at::empty(tensor.shape, at::kFloat);
  auto* out = values.mutable_data_ptr<float>();
  const auto grain = std::max<std::int64_t>(kGrain, 16384 / block.elements);
  at::parallel_for(0, tensor.elements() / block.elements, grain, [&](std::int64_t begin, std::int64_t end) {
    dequantize(tensor.type, tensor.bytes.data() + begin * block.bytes, (end - begin) * block.elements,
               out + begin * block.elements);
  });
  return values;
}

WeightSource gguf_weights(std::shared_ptr<const GgufFile> file, const nlohmann::json& config) {
  const auto architecture = gguf_architecture(config.at("model_type")).value_or("");
  const auto heads = whole(config, "num_attention_heads", "n_head", 1);
  const auto kv_heads = config.value("num_key_value_heads", heads);
  const auto stored_name = [](const std::string& name) { return gguf_name(name).value_or(name); };
  WeightSource source;
  source.has = [file, stored_name](const std::string& name) { return file->tensors().contains(stored_name(name)); };
  source.tensor = [=](const std::string& name) {
    const auto stored = stored_name(name);
    const auto found = file->tensors().find(stored);
    if (found == file->tensors().end()) missing(*file, name, stored);
    return from_gguf_layout(architecture, name, dequantize(found->second), heads, kv_heads);
  };
  return source;
}

}  // namespace rlhf::models
