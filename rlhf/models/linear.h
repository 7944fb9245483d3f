#pragma once
#include <optional>

#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// A low-rank update of a linear layer: W + scale * B A (Hu et al. 2021, arXiv:2106.09685, section 4.1).
struct LoraPair {
  Tensor down;         // A [rank, in]
  Tensor up;           // B [out, rank]; zero at the start, so that the update begins as nothing
  double scale = 1.0;  // alpha / rank, or alpha / sqrt(rank) for rank-stabilised adapters
};

/// input [rows, in] times weight [out, in] transposed, [rows, out], for decoding: fast with few rows, and then a row's result
/// does not depend on the other rows, to the bit. Not differentiable. Training uses at::linear, whose last bits may differ.
Tensor decoding_product(const Tensor& input, const Tensor& weight);

/// The same, into `output` [rows, out].
void decoding_product_out(Tensor& output, const Tensor& input, const Tensor& weight);

/// A linear layer; the adapter, when there is one, can be left out of any forward pass.
struct Linear {
  Tensor weight;                 // [out, in]
  Tensor bias;                   // [out], undefined when the layer has none
  std::optional<LoraPair> lora;

  /// [tokens, in] -> [tokens, out].
  Tensor apply(const Tensor& input, bool adapters = true, bool decoding = false) const;
};

}  // namespace rlhf::models
