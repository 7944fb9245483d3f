#pragma once
#include <cstdint>

/// The inner loops of the models, on rows of float32 in memory. No LibTorch here, no threads: the callers split the rows.
/// Compiled for several instruction sets; the processor's best is chosen when the program starts.
namespace rlhf::models::kernels {

/// y = x * r * weight with r = 1 / sqrt(mean(x^2) + eps) for each row; r is kept for the backward pass.
void rms_norm(const float* x, const float* weight, float eps, std::int64_t rows, std::int64_t width, float* y, float* r);

/// Gradient of rms_norm. `dweight` [width] is added to; pass nullptr where the weight is frozen.
void rms_norm_backward(const float* dy, const float* x, const float* weight, const float* r, std::int64_t rows,
                       std::int64_t width, float* dx, float* dweight);

/// y = silu(gate) * up.
void swiglu(const float* gate, const float* up, std::int64_t count, float* y);
void swiglu_backward(const float* dy, const float* gate, const float* up, std::int64_t count, float* dgate, float* dup);

/// x = tanh(x), in place, to about 2 units in the last place.
void tanh_in_place(float* x, std::int64_t count);
/// gradient *= 1 - y^2, in place, with y = tanh(x).
void tanh_backward(const float* y, std::int64_t count, float* gradient);

/// Rotary embedding on x [rows, heads, dim] with cosines and sines [rows, dim / 2]: the pair (j, j + dim/2) is turned.
/// `direction` is +1 forward, -1 for the gradient. `x` and `y` may be the same memory.
void rotate(const float* x, const float* cosines, const float* sines, std::int64_t rows, std::int64_t heads,
            std::int64_t dim, float direction, float* y);

/// One query row of every head against one slot of a cache.
///   query [heads, dim], keys and values [length, kv_heads, dim], scores: scratch of `length` floats, y [heads, dim].
void attend_one(const float* query, const float* keys, const float* values, std::int64_t length, std::int64_t heads,
                std::int64_t kv_heads, std::int64_t dim, float scale, float* scores, float* y);

/// What a row of logits says about one target, all at logits / temperature.
struct RowSummary {
  float log_normaliser;  // log sum exp
  float entropy;         // nats; 0 unless asked for
  float largest;         // logit, before the temperature
};
RowSummary summarise_row(const float* logits, std::int64_t width, float inverse_temperature, bool entropy);

/// logits[v] = softmax(logits * inverse_temperature)[v] * scale, in place.
void softmax_row(float* logits, std::int64_t width, float inverse_temperature, float log_normaliser, float scale);

}  // namespace rlhf::models::kernels
