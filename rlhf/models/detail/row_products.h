#pragma once
#include <cstdint>

namespace rlhf::models::kernels {

/// y[i, j] = <x row i, w row j> for a few rows x [rows, depth] and the weight rows `begin` .. `end` of w [columns, depth];
/// y [rows, columns]. All row-major float32.
///
/// Both operands are read as they lie in memory: nothing is packed, which is what costs a general matrix product most
/// when there are few rows. Every sum is taken in the same order whatever the number of rows, so a row's result does not
/// depend on its neighbours, to the bit.
void row_products(const float* x, std::int64_t rows, const float* w, std::int64_t columns, std::int64_t depth,
                  std::int64_t begin, std::int64_t end, float* y);

/// Has this processor instructions that row_products is written for? If not, a general product is faster.
bool row_products_are_fast();

}  // namespace rlhf::models::kernels
