#include "rlhf/models/quantization.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace rlhf::models {
namespace {

constexpr int kSmall = 32;   // numbers in a block of the older types
constexpr int kLarge = 256;  // numbers in a super-block of the K types

float half_at(const std::uint8_t* bytes) {
  std::uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return half_to_float(half);
}

void q8_0(const std::uint8_t* block, float* y) {
  const float scale = half_at(block);
  for (int i = 0; i < kSmall; ++i) y[i] = static_cast<float>(static_cast<std::int8_t>(block[2 + i])) * scale;
}

// In the four types below byte i holds number i in its low half and number i + 16 in its high half.

void q4_0(const std::uint8_t* block, float* y) {
  const float scale = half_at(block);
  const auto* low = block + 2;
  for (int i = 0; i < 16; ++i) {
    y[i] = scale * static_cast<float>((low[i] & 15) - 8);
    y[i + 16] = scale * static_cast<float>((low[i] >> 4) - 8);
  }
}

void q4_1(const std::uint8_t* block, float* y) {
  const float scale = half_at(block), least = half_at(block + 2);
  const auto* low = block + 4;
  for (int i = 0; i < 16; ++i) {
    y[i] = scale * static_cast<float>(low[i] & 15) + least;
    y[i + 16] = scale * static_cast<float>(low[i] >> 4) + least;
  }
}

/// The fifth bits of 32 numbers, one a bit.
std::uint32_t fifth_bits(const std::uint8_t* bytes) {
  std::uint32_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return bits;
}

void q5_0(const std::uint8_t* block, float* y) {
  const float scale = half_at(block);
  const auto high = fifth_bits(block + 2);
  const auto* low = block + 6;
  for (int i = 0; i < 16; ++i) {
    y[i] = scale * static_cast<float>(static_cast<int>((low[i] & 15u) | ((high >> i & 1u) << 4)) - 16);
    y[i + 16] = scale * static_cast<float>(static_cast<int>((low[i] >> 4u) | ((high >> (i + 16) & 1u) << 4)) - 16);
  }
}

void q5_1(const std::uint8_t* block, float* y) {
  const float scale = half_at(block), least = half_at(block + 2);
  const auto high = fifth_bits(block + 4);
  const auto* low = block + 8;
  for (int i = 0; i < 16; ++i) {
    y[i] = scale * static_cast<float>((low[i] & 15u) | ((high >> i & 1u) << 4)) + least;
    y[i + 16] = scale * static_cast<float>((low[i] >> 4u) | ((high >> (i + 16) & 1u) << 4)) + least;
  }
}

struct ScaleAndMinimum {
  float scale, minimum;
};

/// Q4_K and Q5_K: 8 scales and 8 minima of 6 bits each, packed into 12 bytes.
ScaleAndMinimum packed_scale(const std::uint8_t* packed, int group) {
  if (group < 4) return {static_cast<float>(packed[group] & 63), static_cast<float>(packed[group + 4] & 63)};
  return {static_cast<float>((packed[group + 4] & 15) | (packed[group - 4] >> 6 << 4)),
          static_cast<float>((packed[group + 4] >> 4) | (packed[group] >> 6 << 4))};
}

void q4_k(const std::uint8_t* block, float* y) {
  const float scale = half_at(block), minimum = half_at(block + 2);
  const auto* packed = block + 4;
  const auto* low = block + 16;
  for (int group = 0; group < 8; ++group, y += 32) {
    const auto part = packed_scale(packed, group);
    const float d = scale * part.scale, m = minimum * part.minimum;
    const auto* bytes = low + group / 2 * 32;
    const int shift = group % 2 * 4;
    for (int i = 0; i < 32; ++i) y[i] = d * static_cast<float>(bytes[i] >> shift & 15) - m;
  }
}

void q5_k(const std::uint8_t* block, float* y) {
  const float scale = half_at(block), minimum = half_at(block + 2);
  const auto *packed = block + 4, *high = block + 16, *low = block + 48;
  for (int group = 0; group < 8; ++group, y += 32) {
    const auto part = packed_scale(packed, group);
    const float d = scale * part.scale, m = minimum * part.minimum;
    const auto* bytes = low + group / 2 * 32;
    const int shift = group % 2 * 4;
    for (int i = 0; i < 32; ++i)
      y[i] = d * static_cast<float>((bytes[i] >> shift & 15) | (high[i] >> group & 1) << 4) - m;
  }
}

void q6_k(const std::uint8_t* block, float* y) {
  const auto *low = block, *high = block + 128, *scales = block + 192;
  const float scale = half_at(block + 208);
  for (int group = 0; group < 8; ++group, y += 32) {
    const auto* low_bytes = low + group / 4 * 64 + group % 2 * 32;
    const auto* high_bytes = high + group / 4 * 32;
    const int low_shift = group % 4 / 2 * 4, high_shift = group % 4 * 2;
    for (int i = 0; i < 32; ++i) {
      const int number = (low_bytes[i] >> low_shift & 15) | (high_bytes[i] >> high_shift & 3) << 4;
      const auto part = static_cast<std::int8_t>(scales[group * 2 + i / 16]);
      y[i] = scale * static_cast<float>(part) * static_cast<float>(number - 32);
    }
  }
}

void f16(const std::uint8_t* number, float* y) { *y = half_at(number); }

void bf16(const std::uint8_t* number, float* y) {
  *y = std::bit_cast<float>(static_cast<std::uint32_t>(number[0]) << 16 | static_cast<std::uint32_t>(number[1]) << 24);
}

template <int Elements, int Bytes, void Block(const std::uint8_t*, float*)>
void each_block(const std::uint8_t* blocks, std::int64_t elements, float* values) {
  for (std::int64_t i = 0; i < elements; i += Elements, blocks += Bytes) Block(blocks, values + i);
}

}  // namespace

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16, rest = half & 0x7fff;
  if (rest >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000u | (rest & 0x3ffu) << 13);  // infinity, NaN
  // The bits of a half, moved up, are a float that is 2^112 too small; subnormals come out right as well.
  const float magnitude = std::bit_cast<float>(rest << 13) * 0x1p112f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000), magnitude_is_nan = std::uint16_t{0x7e00};
  const auto magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | magnitude_is_nan;
  if (magnitude >= 0x477ff000u) return sign | 0x7c00;  // 65520 and more round to infinity
  if (magnitude < 0x38800000u) {  // below 2^-14: a multiple of 2^-24, which this addition rounds to
    const float rounded = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign |
                                      (std::bit_cast<std::uint32_t>(rounded) - std::bit_cast<std::uint32_t>(0.5f)));
  }
  const auto odd = magnitude >> 13 & 1;
  return static_cast<std::uint16_t>(sign | (magnitude - 0x38000000u + 0xfff + odd) >> 13);
}

void dequantize(GgmlType type, const std::byte* blocks, std::int64_t elements, float* values) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(blocks);
  switch (type) {
    case GgmlType::f32:
      std::memcpy(values, blocks, static_cast<std::size_t>(elements) * 4);
      return;
    case GgmlType::f16:
      return each_block<1, 2, f16>(bytes, elements, values);
    case GgmlType::bf16:
      return each_block<1, 2, bf16>(bytes, elements, values);
    case GgmlType::q8_0:
      return each_block<kSmall, 34, q8_0>(bytes, elements, values);
    case GgmlType::q4_0:
      return each_block<kSmall, 18, q4_0>(bytes, elements, values);
    case GgmlType::q4_1:
      return each_block<kSmall, 20, q4_1>(bytes, elements, values);
    case GgmlType::q5_0:
      return each_block<kSmall, 22, q5_0>(bytes, elements, values);
    case GgmlType::q5_1:
      return each_block<kSmall, 24, q5_1>(bytes, elements, values);
    case GgmlType::q4_k:
      return each_block<kLarge, 144, q4_k>(bytes, elements, values);
    case GgmlType::q5_k:
      return each_block<kLarge, 176, q5_k>(bytes, elements, values);
    case GgmlType::q6_k:
      return each_block<kLarge, 210, q6_k>(bytes, elements, values);
  }
}

void quantize_q8_0(const float* values, std::int64_t elements, std::byte* blocks) {
  for (std::int64_t start = 0; start < elements; start += kSmall, blocks += 34) {
    float largest = 0;
    for (int i = 0; i < kSmall; ++i) largest = std::max(largest, std::fabs(values[start + i]));
    const float scale = largest / 127.0f, inverse = scale == 0 ? 0.0f : 1.0f / scale;
    const auto half = float_to_half(scale);
    std::memcpy(blocks, &half, sizeof half);
    for (int i = 0; i < kSmall; ++i)
      blocks[2 + i] = static_cast<std::byte>(static_cast<std::int8_t>(std::round(values[start + i] * inverse)));
  }
}

}  // namespace rlhf::models
