#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "rlhf/core/tensor.h"
#include "rlhf/models/ggml_type.h"
#include "rlhf/models/gguf.h"

namespace rlhf::models {

/// A GGUF file (version 3) to be written: metadata and tensors in their order.
struct GgufContents {
  struct Entry {
    std::string name;
    Tensor weight;  // any stride; at least one dimension
    GgmlType type;  // F32, F16, BF16 or Q8_0
  };

  std::vector<std::pair<std::string, GgufValue>>
      metadata;  // whole numbers are written in 32 bits where they fit, others as float32
  std::vector<Entry> tensors;
};

/// Writes to a temporary file that is renamed into place. Throws rlhf::Error (check) where float16 cannot hold a
/// weight.
void write_gguf(const std::filesystem::path& path, const GgufContents& contents);

/// The type in which a weight is stored when the file is to be of type `wanted`: vectors stay F32, and rows that Q8_0's
/// blocks don't divide become F16.
GgmlType stored_type(const Tensor& weight, GgmlType wanted);

}  // namespace rlhf::models
