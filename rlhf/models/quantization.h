#pragma once
#include <cstddef>
#include <cstdint>

#include "rlhf/models/ggml_type.h"

/// Block-quantised numbers as GGUF files hold them. No LibTorch here: the same loops run under the fuzzer.
namespace rlhf::models {

/// blocks -> float32. `elements` is a multiple of the block's; `blocks` needs no alignment.
void dequantize(GgmlType type, const std::byte* blocks, std::int64_t elements, float* values);

/// float32 -> Q8_0: each 32 numbers share one float16 scale, the largest magnitude / 127. `elements` is a multiple
/// of 32.
void quantize_q8_0(const float* values, std::int64_t elements, std::byte* blocks);

/// IEEE half precision, both ways; the way down rounds to nearest, ties to even, and overflows to infinity.
float half_to_float(std::uint16_t half);
std::uint16_t float_to_half(float value);

}  // namespace rlhf::models
