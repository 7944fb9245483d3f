#include "rlhf/generation/row_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace rlhf::generation {
namespace {

constexpr int width = 16;  // lanes summed side by side; fixed, so that every processor adds in the same order
typedef float Lanes __attribute__((vector_size(width * sizeof(float))));
typedef std::int32_t Words __attribute__((vector_size(width * sizeof(std::int32_t))));

struct BlockSums {
  float maximum;
  float plain;     // sum of exp(logit - maximum)
  float tempered;  // sum of exp((logit - maximum) * inverse_temperature)
};

[[gnu::always_inline]] inline Lanes load(const float* at) {
  Lanes lanes;
  std::memcpy(&lanes, at, sizeof lanes);
  return lanes;
}

/// exp of non-positive numbers to about 1 ulp: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2] (coefficients of Cephes' expf).
/// -inf and everything below -87 give less than 1e-37, which is lost beside the 1 that each block's maximum adds.
[[gnu::always_inline]] inline Lanes exp_lanes(Lanes x) {
  const Lanes lowest = Lanes{} - 87.0f;
  x = x < lowest ? lowest : x;
  const Lanes scaled = x * 1.44269504f - 0.5f;
  const Words n = __builtin_convertvector(scaled, Words);  // truncation towards zero: rounds to nearest for x <= 0
  const Lanes whole = __builtin_convertvector(n, Lanes);
  const Lanes r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  Lanes p = Lanes{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const Words bits = (n + 127) << 23;
  Lanes power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

[[gnu::always_inline]] inline float sum(const Lanes& lanes) {
  float total = 0;
  for (int i = 0; i < width; ++i) total += lanes[i];
  return total;
}

/// `block` holds block_size logits.
[[gnu::always_inline]] inline BlockSums block_sums(const float* block, float inverse_temperature) {
  Lanes top = load(block);
  Lanes unordered = top * 0.0f;  // NaN as soon as a lane is NaN or infinite
  for (std::int64_t i = width; i < RowStatistics::block_size; i += width) {
    const Lanes logits = load(block + i);
    top = logits > top ? logits : top;
    unordered += logits * 0.0f;
  }
  float maximum = top[0];
  for (int i = 1; i < width; ++i) maximum = std::max(maximum, top[i]);
  if (const float check = sum(unordered); check != check) {  // rare: -inf is allowed, NaN and +inf are not
    maximum = -std::numeric_limits<float>::infinity();
    for (std::int64_t i = 0; i < RowStatistics::block_size; ++i) {
      if (std::isnan(block[i]) || block[i] == std::numeric_limits<float>::infinity()) {
        return {std::numeric_limits<float>::quiet_NaN(), 0, 0};
      }
      maximum = std::max(maximum, block[i]);
    }
    if (std::isinf(maximum)) return {maximum, 0, 0};
  }
  Lanes plain{}, tempered{};
  if (inverse_temperature == 1.0f) {
    for (std::int64_t i = 0; i < RowStatistics::block_size; i += width) plain += exp_lanes(load(block + i) - maximum);
    tempered = plain;
  } else {
    for (std::int64_t i = 0; i < RowStatistics::block_size; i += width) {
      const Lanes gap = load(block + i) - maximum;
      plain += exp_lanes(gap);
      tempered += exp_lanes(gap * inverse_temperature);
    }
  }
  return {maximum, sum(plain), sum(tempered)};
}

using BlockFunction = BlockSums (*)(const float*, float);

BlockSums block_sums_baseline(const float* block, float inverse_temperature) { return block_sums(block, inverse_temperature); }

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] BlockSums block_sums_avx2(const float* block, float inverse_temperature) {
  return block_sums(block, inverse_temperature);
}
[[gnu::target("avx512f,avx512dq,fma")]] BlockSums block_sums_avx512(const float* block, float inverse_temperature) {
  return block_sums(block, inverse_temperature);
}
#endif

BlockFunction fastest_block_function() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return block_sums_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return block_sums_avx2;
#endif
  return block_sums_baseline;
}

}  // namespace

void RowStatistics::read(const float* logits, std::int64_t vocabulary, float inverse_temperature) {
  static const BlockFunction sums_of = fastest_block_function();
  constexpr float nothing = -std::numeric_limits<float>::infinity();
  const std::int64_t count = (vocabulary + block_size - 1) / block_size;
  maxima_.assign(count, nothing);
  tempered_sums_.assign(count, 0.0);
  std::vector<float> plain_sums(count);
  for (std::int64_t block = 0; block < count; ++block) {
    const std::int64_t begin = block * block_size, size = std::min(block_size, vocabulary - begin);
    BlockSums sums;
    if (size == block_size) {
      sums = sums_of(logits + begin, inverse_temperature);
    } else {  // the last piece is filled up with logits of no weight
      float filled[block_size];
      std::fill(std::copy(logits + begin, logits + begin + size, filled), filled + block_size, nothing);
      sums = sums_of(filled, inverse_temperature);
    }
    maxima_[block] = sums.maximum;
    plain_sums[block] = sums.plain;
    tempered_sums_[block] = sums.tempered;
  }
  maximum_ = nothing;
  finite_ = true;
  for (const float maximum : maxima_) {
    if (std::isnan(maximum)) finite_ = false;
    if (maximum > maximum_) maximum_ = maximum;
  }
  finite_ = finite_ && !std::isinf(maximum_);
  if (!finite_) return;
  double plain = 0;
  total_weight_ = 0;
  for (std::int64_t block = 0; block < count; ++block) {
    const double gap = double(maxima_[block]) - maximum_;  // -inf for an empty block: its share is 0
    plain += plain_sums[block] * std::exp(gap);
    total_weight_ += tempered_sums_[block] * std::exp(gap * inverse_temperature);
  }
  log_sum_ = maximum_ + std::log(plain);
}

}  // namespace rlhf::generation
