// Any bytes as a GGUF file: an Error, or metadata, a config and tensors that can all be read.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/models/gguf.h"
#include "rlhf/models/gguf_config.h"
#include "rlhf/models/quantization.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlhf::models;
  try {
    const auto file = GgufFile::from_bytes(std::string(reinterpret_cast<const char*>(data), size), "input");
    std::vector<float> values;
    for (const auto& [name, tensor] : file.tensors()) {
      values.resize(static_cast<std::size_t>(tensor.elements()));
      dequantize(tensor.type, tensor.bytes.data(), tensor.elements(), values.data());
    }
    tokenizer_from_gguf(file);
    const auto config = config_from_gguf(file);
    gguf_keys_of(config);
  } catch (const rlhf::Error&) {
  }
  return 0;
}
