#include "rlhf/models/detail/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define RLHF_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RLHF_MULTIVERSION
#endif

namespace rlhf::models::kernels {
namespace {

/// exp(x) to about 2 units in the last place, in a form the compiler turns into vector code. Below -87.3 it is 0.
inline float fast_exp(float x) {
  const float clamped = std::min(x, 88.0f);
  const float n = std::nearbyint(clamped * 1.44269504088896341f);
  // log(2) in two parts keeps r exact; fma, because sums may be reordered in this file.
  const float r = __builtin_fmaf(n, 2.12194440e-4f, __builtin_fmaf(n, -0.693359375f, clamped));
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float mantissa = p * r * r + r + 1.0f;
  const auto exponent = static_cast<std::int32_t>(std::max(n, -126.0f)) + 127;
  const float power = std::bit_cast<float>(exponent << 23);
  return x < -87.3f ? 0.0f : mantissa * power;
}

/// Near 0 an odd polynomial, which keeps small values exact to their last bits; else 1 - 2 / (exp(2 |x|) + 1).
inline float fast_tanh(float x) {
  const float size = std::min(std::abs(x), 10.0f), square = x * x;
  float p = -5.70498872745e-3f;
  p = p * square + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  const float near = p * square * x + x;
  const float far = std::copysign(1.0f - 2.0f / (fast_exp(2.0f * size) + 1.0f), x);
  return size < 0.625f ? near : far;
}

inline float sigmoid(float x) { return 1.0f / (1.0f + fast_exp(-x)); }

}  // namespace

RLHF_MULTIVERSION
void tanh_in_place(float* x, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) x[i] = fast_tanh(x[i]);
}

RLHF_MULTIVERSION
void tanh_backward(const float* y, std::int64_t count, float* gradient) {
  for (std::int64_t i = 0; i < count; ++i) gradient[i] *= 1.0f - y[i] * y[i];
}

RLHF_MULTIVERSION
void rms_norm(const float* x, const float* weight, float eps, std::int64_t rows, std::int64_t width, float* y, float* r) {
  for (std::int64_t row = 0; row < rows; ++row, x += width, y += width) {
    float squares = 0;
    for (std::int64_t i = 0; i < width; ++i) squares += x[i] * x[i];
    const float scale = 1.0f / std::sqrt(squares / static_cast<float>(width) + eps);
    r[row] = scale;
    for (std::int64_t i = 0; i < width; ++i) y[i] = x[i] * scale * weight[i];
  }
}

RLHF_MULTIVERSION
void rms_norm_backward(const float* dy, const float* x, const float* weight, const float* r, std::int64_t rows,
                       std::int64_t width, float* dx, float* dweight) {
  for (std::int64_t row = 0; row < rows; ++row, x += width, dy += width, dx += width) {
    const float scale = r[row];
    float dot = 0;  // <dy * weight, x>
    for (std::int64_t i = 0; i < width; ++i) dot += dy[i] * weight[i] * x[i];
    const float pull = dot * scale * scale * scale / static_cast<float>(width);
    for (std::int64_t i = 0; i < width; ++i) dx[i] = dy[i] * weight[i] * scale - x[i] * pull;
    if (dweight != nullptr) {
      for (std::int64_t i = 0; i < width; ++i) dweight[i] += dy[i] * x[i] * scale;
    }
  }
}

RLHF_MULTIVERSION
void swiglu(const float* gate, const float* up, std::int64_t count, float* y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = gate[i] * sigmoid(gate[i]) * up[i];
}

RLHF_MULTIVERSION
void swiglu_backward(const float* dy, const float* gate, const float* up, std::int64_t count, float* dgate, float* dup) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float s = sigmoid(gate[i]);
    dup[i] = dy[i] * gate[i] * s;
    dgate[i] = dy[i] * up[i] * s * (1.0f + gate[i] * (1.0f - s));
  }
}

RLHF_MULTIVERSION
void rotate(const float* x, const float* cosines, const float* sines, std::int64_t rows, std::int64_t heads,
            std::int64_t dim, float direction, float* y) {
  const std::int64_t half = dim / 2;
  for (std::int64_t row = 0; row < rows; ++row, cosines += half, sines += half) {
    for (std::int64_t head = 0; head < heads; ++head, x += dim, y += dim) {
      for (std::int64_t j = 0; j < half; ++j) {
        const float first = x[j], second = x[j + half], sine = direction * sines[j];
        y[j] = first * cosines[j] - second * sine;
        y[j + half] = second * cosines[j] + first * sine;
      }
    }
  }
}

RLHF_MULTIVERSION
void attend_one(const float* query, const float* keys, const float* values, std::int64_t length, std::int64_t heads,
                std::int64_t kv_heads, std::int64_t dim, float scale, float* scores, float* y) {
  const std::int64_t group = heads / kv_heads, stride = kv_heads * dim;
  for (std::int64_t head = 0; head < heads; ++head, query += dim, y += dim) {
    const std::int64_t offset = head / group * dim;
    float largest = -INFINITY;
    for (std::int64_t t = 0; t < length; ++t) {
      const float* key = keys + t * stride + offset;
      float dot = 0;
      for (std::int64_t i = 0; i < dim; ++i) dot += query[i] * key[i];
      scores[t] = dot * scale;
      largest = std::max(largest, scores[t]);
    }
    float sum = 0;
    for (std::int64_t t = 0; t < length; ++t) {
      scores[t] = fast_exp(scores[t] - largest);
      sum += scores[t];
    }
    std::fill(y, y + dim, 0.0f);
    const float inverse = 1.0f / sum;
    for (std::int64_t t = 0; t < length; ++t) {
      const float* value = values + t * stride + offset;
      const float share = scores[t] * inverse;
      for (std::int64_t i = 0; i < dim; ++i) y[i] += share * value[i];
    }
  }
}

RLHF_MULTIVERSION
RowSummary summarise_row(const float* logits, std::int64_t width, float inverse_temperature, bool entropy) {
  float largest = -INFINITY;
#pragma omp simd reduction(max : largest)
  for (std::int64_t v = 0; v < width; ++v) largest = std::max(largest, logits[v]);
  float sum = 0, weighted = 0;  // of exp(s), and of s * exp(s), with s = (logit - largest) / temperature
  if (entropy) {
    for (std::int64_t v = 0; v < width; ++v) {
      const float s = (logits[v] - largest) * inverse_temperature, e = fast_exp(s);
      sum += e;
      weighted += s * e;
    }
  } else {
    for (std::int64_t v = 0; v < width; ++v) sum += fast_exp((logits[v] - largest) * inverse_temperature);
  }
  const float log_sum = std::log(sum);
  return {.log_normaliser = largest * inverse_temperature + log_sum, .entropy = entropy ? log_sum - weighted / sum : 0, .largest = largest};
}

RLHF_MULTIVERSION
void softmax_row(float* logits, std::int64_t width, float inverse_temperature, float log_normaliser, float scale) {
  for (std::int64_t v = 0; v < width; ++v) {
    logits[v] = fast_exp(logits[v] * inverse_temperature - log_normaliser) * scale;
  }
}

}  // namespace rlhf::models::kernels
