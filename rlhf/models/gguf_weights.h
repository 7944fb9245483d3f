#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "rlhf/models/gguf.h"
#include "rlhf/models/language_model.h"

namespace rlhf::models {

/// The numbers of a tensor as float32, in the file's own layout; rows are converted in parallel.
Tensor dequantize(const GgufTensor& tensor);

/// The weights of a GGUF file under their Hugging Face names and in their Hugging Face layout, each converted when
/// asked for.
///
///   config   what config_from_gguf made of the file
WeightSource gguf_weights(std::shared_ptr<const GgufFile> file, const nlohmann::json& config);

}  // namespace rlhf::models
