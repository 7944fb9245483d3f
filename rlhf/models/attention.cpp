#include "rlhf/models/attention.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "rlhf/models/detail/kernels.h"

namespace rlhf::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Starts = std::vector<std::int64_t>;

Tensor rotated(const Tensor& rows, const RotaryTable& rotary, float direction) {
  if (!rotary.cosines.defined()) return rows;
  const auto input = rows.contiguous();
  auto output = at::empty_like(input);
  const auto heads = input.size(1), dim = input.size(2);
  const auto* x = input.const_data_ptr<float>();
  const auto *cosines = rotary.cosines.const_data_ptr<float>(), *sines = rotary.sines.const_data_ptr<float>();
  auto* y = output.mutable_data_ptr<float>();
  at::parallel_for(0, input.size(0), 32, [&](std::int64_t begin, std::int64_t end) {
    kernels::rotate(x + begin * heads * dim, cosines + begin * (dim / 2), sines + begin * (dim / 2), end - begin, heads,
                    dim, direction, y + begin * heads * dim);
  });
  return output;
}

/// One sequence's rows as [kv_heads, heads / kv_heads, length, dim]: key heads are the outer batch, so that a group of
/// query heads reads its key head through a stride of 0 and nothing is copied.
Tensor grouped(const Tensor& rows, std::int64_t begin, std::int64_t end, std::int64_t kv_heads, std::int64_t group) {
  const auto part = rows.slice(0, begin, end), view = part.view({end - begin, kv_heads, -1, rows.size(2)});
  return view.permute({1, 2, 0, 3}).expand({kv_heads, group, end - begin, rows.size(2)});
}

/// Additive mask [queries, keys] of a sliding window, for queries that are the last ones of the keys.
std::optional<Tensor> window_mask(std::int64_t queries, std::int64_t keys, std::int64_t window) {
  const auto past = keys - queries;
  if (past == 0 && (window == 0 || keys <= window)) return std::nullopt;  // plain causal attention
  const auto key = at::arange(keys).unsqueeze(0), query = at::arange(past, keys).unsqueeze(1);
  auto hidden = key.gt(query);
  if (window > 0) hidden = hidden.logical_or(key.le(query.sub(window)));
  return at::zeros({queries, keys}, at::kFloat).masked_fill(hidden, -std::numeric_limits<float>::infinity());
}

struct SequenceAttention {
  Tensor output, log_normalisers;
};

/// queries [kv_heads, group, queries, dim] against keys and values [kv_heads, group, keys, dim].
SequenceAttention attend(const Tensor& queries, const Tensor& keys, const Tensor& values, std::int64_t window) {
  const auto mask = window_mask(queries.size(2), keys.size(2), window);
  auto [output, log_normalisers] =
      at::_scaled_dot_product_flash_attention_for_cpu(queries, keys, values, 0.0, !mask.has_value(), mask);
  return {output, log_normalisers};
}

struct Attention : torch::autograd::Function<Attention> {
  static Tensor forward(AutogradContext* context, const Tensor& queries_in, const Tensor& keys_in,
                        const Tensor& values_in, const RotaryTable& rotary, const Starts& starts, std::int64_t window) {
    const auto queries = rotated(queries_in, rotary, 1), keys = rotated(keys_in, rotary, 1), values = values_in.contiguous();
    const auto kv_heads = keys.size(1), group = queries.size(1) / kv_heads;
    const auto sequences = static_cast<std::int64_t>(starts.size()) - 1;
    auto output = at::empty_like(queries, at::MemoryFormat::Contiguous);
    variable_list log_normalisers(sequences);
    at::parallel_for(0, sequences, 1, [&](std::int64_t first, std::int64_t last) {
      at::AutoDispatchBelowADInplaceOrView raw;  // worker threads have no autograd state of their own
      for (auto i = first; i < last; ++i) {
        const auto begin = starts[i], end = starts[i + 1];
        const auto result = attend(grouped(queries, begin, end, kv_heads, group), grouped(keys, begin, end, kv_heads, group),
                                   grouped(values, begin, end, kv_heads, group), window);
        output.slice(0, begin, end).view({end - begin, kv_heads, group, -1}).permute({1, 2, 0, 3}).copy_(result.output);
        log_normalisers[i] = result.log_normalisers;
      }
    });
    variable_list saved{queries, keys, values, output};
    saved.insert(saved.end(), log_normalisers.begin(), log_normalisers.end());
    context->save_for_backward(saved);
    context->saved_data["starts"] = starts;
    context->saved_data["window"] = window;
    context->saved_data["cosines"] = rotary.cosines;
    context->saved_data["sines"] = rotary.sines;
    return output.view({queries.size(0), -1});
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &queries = saved[0], &keys = saved[1], &values = saved[2], &output = saved[3];
    const auto starts = context->saved_data["starts"].toIntVector();
    const auto window = context->saved_data["window"].toInt();
    const auto kv_heads = keys.size(1), group = queries.size(1) / kv_heads;
    const auto upstream = gradients[0].contiguous().view(output.sizes());
    auto grad_queries = at::empty_like(queries), grad_keys = at::empty_like(keys), grad_values = at::empty_like(values);
    at::parallel_for(0, static_cast<std::int64_t>(starts.size()) - 1, 1, [&](std::int64_t first, std::int64_t last) {
      at::AutoDispatchBelowADInplaceOrView raw;
      for (auto i = first; i < last; ++i) {
        const auto begin = starts[i], end = starts[i + 1];
        const auto part = [&](const Tensor& rows) { return grouped(rows, begin, end, kv_heads, group); };
        const auto mask = window_mask(end - begin, end - begin, window);
        const auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
            part(upstream), part(queries), part(keys), part(values), part(output), saved[4 + i], 0.0, !mask.has_value(), mask);
        grad_queries.slice(0, begin, end).view({end - begin, kv_heads, group, -1}).permute({1, 2, 0, 3}).copy_(dq);
        grad_keys.slice(0, begin, end).copy_(dk.sum(1).permute({1, 0, 2}));
        grad_values.slice(0, begin, end).copy_(dv.sum(1).permute({1, 0, 2}));
      }
    });
    const RotaryTable rotary{context->saved_data["cosines"].toTensor(), context->saved_data["sines"].toTensor()};
    return {rotated(grad_queries, rotary, -1), rotated(grad_keys, rotary, -1), grad_values, {}, {}, {}};
  }
};

/// Writes the new keys and values behind what each selected slot already holds.
void append(const Tensor& keys, const Tensor& values, const Starts& starts, KvCache& cache, std::int64_t layer) {
  const auto row = keys.size(1) * keys.size(2);
  const auto copy = [&](const Tensor& from, Tensor& to) {
    const auto* source = from.const_data_ptr<float>();
    auto* target = to.mutable_data_ptr<float>();
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
      const auto slot = cache.selected()[i];
      std::memcpy(target + slot * to.stride(0) + cache.length(slot) * row, source + starts[i] * row,
                  sizeof(float) * (starts[i + 1] - starts[i]) * row);
    }
  };
  copy(keys, cache.keys(layer));
  copy(values, cache.values(layer));
}

/// Sequences that bring one token: all of them in a decoding step, and a prompt's last piece may be as short. Their rows of
/// `output` [tokens, heads * dim] are the same to the bit in whatever company they come. Threads share the sequences.
void attend_single_tokens(const Tensor& queries, const Starts& starts, std::int64_t window, KvCache& cache, std::int64_t layer, Tensor& output) {
  const auto heads = queries.size(1), dim = queries.size(2), row = heads * dim;
  const auto &keys = cache.keys(layer), &values = cache.values(layer);
  const auto kv_heads = keys.size(2), slot_size = keys.stride(0), key_row = keys.stride(1);
  const auto *q = queries.const_data_ptr<float>(), *k = keys.const_data_ptr<float>(), *v = values.const_data_ptr<float>();
  auto* y = output.mutable_data_ptr<float>();
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  at::parallel_for(0, static_cast<std::int64_t>(starts.size()) - 1, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> scores(cache.capacity());
    for (auto i = begin; i < end; ++i) {
      if (starts[i + 1] - starts[i] != 1) continue;
      const auto slot = cache.selected()[i], total = cache.length(slot) + 1, at = starts[i] * row;
      const auto seen = window > 0 ? std::min(total, window) : total;
      const auto offset = slot * slot_size + (total - seen) * key_row;
      kernels::attend_one(q + at, k + offset, v + offset, seen, heads, kv_heads, dim, scale, scores.data(), y + at);
    }
  });
}

}  // namespace

Tensor attention(const AttentionInput& input, const RotaryTable& rotary, const Starts& starts, std::int64_t window) {
  return Attention::apply(input.queries, input.keys, input.values, rotary, starts, window);
}

Tensor cached_attention(const AttentionInput& input, const RotaryTable& rotary, const Starts& starts,
                        std::int64_t window, KvCache& cache, std::int64_t layer) {
  const auto queries = rotated(input.queries, rotary, 1).contiguous(), keys = rotated(input.keys, rotary, 1).contiguous(),
             values = input.values.contiguous();
  append(keys, values, starts, cache, layer);
  const auto sequences = static_cast<std::int64_t>(starts.size()) - 1;
  const auto kv_heads = keys.size(1), group = queries.size(1) / kv_heads;
  auto output = at::empty({queries.size(0), queries.size(1) * queries.size(2)}, at::kFloat);
  attend_single_tokens(queries, starts, window, cache, layer, output);
  for (std::int64_t i = 0; i < sequences; ++i) {
    const auto begin = starts[i], end = starts[i + 1], slot = cache.selected()[i];
    if (end - begin == 1) continue;
    const auto total = cache.length(slot) + end - begin;
    const auto result = attend(grouped(queries, begin, end, kv_heads, group),
                               grouped(cache.keys(layer)[slot], 0, total, kv_heads, group),
                               grouped(cache.values(layer)[slot], 0, total, kv_heads, group), window);
    output.slice(0, begin, end).view({end - begin, kv_heads, group, -1}).permute({1, 2, 0, 3}).copy_(result.output);
  }
  return output;
}

}  // namespace rlhf::models
