#pragma once
#include <cstdint>
#include <memory>

namespace rlhf::models::kernels {

/// Rows of activations turned for row_products: depth first in panels of neighbouring rows, the last one filled up with
/// zeros. Made empty; fill_row_panels fills any range of the depth, so that threads can share the work.
struct RowPanels {
  RowPanels(std::int64_t rows, std::int64_t depth);

  std::int64_t rows, depth;
  std::unique_ptr<float[]> values;
};

/// x [rows, depth], row-major float32; fills the depths `begin` .. `end`.
void fill_row_panels(RowPanels& panels, const float* x, std::int64_t begin, std::int64_t end);

/// y[i, j] = <x row i, w row j> for the rows of `x` and the weight rows `begin` .. `end` of w [columns, depth]; y [rows, columns].
///
/// The weights are read once, as they lie in memory: packing them is what costs a general matrix product most when there
/// are few rows. Every sum is taken in the same order whatever the number of rows and the range of weight rows, so a row's
/// result does not depend on its neighbours, to the bit.
void row_products(const RowPanels& x, const float* w, std::int64_t columns, std::int64_t begin, std::int64_t end, float* y);

/// Has this processor instructions that row_products is written for? If not, a general product is faster.
bool row_products_are_fast();

}  // namespace rlhf::models::kernels
