#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rlhf::models {

/// How the numbers of a GGUF tensor are stored. The values are the file format's own.
enum class GgmlType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  bf16 = 30,
};

/// Numbers are stored in blocks: `elements` of them take `bytes`. An unquantised type has blocks of one.
struct GgmlBlock {
  std::string_view name;  // "Q4_K"
  std::int64_t elements, bytes;
};

/// Nothing for a type that this library cannot read.
std::optional<GgmlBlock> ggml_block(std::uint32_t type);
GgmlBlock ggml_block(GgmlType type);

/// "F32, F16, ...", for messages.
std::string supported_ggml_types();

}  // namespace rlhf::models
