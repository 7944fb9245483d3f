#include "rlhf/models/detail/row_products.h"


#include <algorithm>

namespace rlhf::models::kernels {
namespace {

constexpr std::int64_t most_depth = 576;    // a panel of this depth about fills the first-level cache
constexpr std::int64_t column_block = 96;   // weight rows that stay in the second-level cache while all panels pass
constexpr std::int64_t line = 16;           // floats of a cache line

/// A long depth is cut into blocks of nearly equal size, the same for any number of rows.
std::int64_t depth_block(std::int64_t depth) {
  const auto blocks = (depth + most_depth - 1) / most_depth;
  const auto each = (depth + blocks - 1) / blocks;
  return (each + line - 1) / line * line;
}

/// Calls visit(first row, width, offset of its values) for each panel: `widest` rows, or half of it when that holds the rest.
template <class Visit>
[[gnu::always_inline]] inline void each_panel(std::int64_t rows, std::int64_t depth, std::int64_t widest, const Visit& visit) {
  std::int64_t offset = 0;
  for (std::int64_t row = 0; row < rows;) {
    const auto width = rows - row > widest / 2 ? widest : widest / 2;
    visit(row, width, offset);
    offset += width * depth;
    row += width;
  }
}

struct Products {
  const RowPanels& x;
  const float* w;
  std::int64_t columns;
  float* y;
};

/// Sums over one block of the depth of Columns weight rows with the Vectors * Lanes rows of a panel: one broadcast weight
/// times a vector of rows at a time. `Ahead`: asks for the weight rows after these, which nothing has read yet.
template <int Lanes, int Vectors, int Columns, bool Ahead>
[[gnu::always_inline]] inline void tile(const float* panel, const float* w, std::int64_t stride, std::int64_t depth, float* sums_out) {
  typedef float Vector __attribute__((vector_size(4 * Lanes), aligned(4), may_alias));
  Vector sums[Columns][Vectors] = {};
  const auto step = [&](std::int64_t k) __attribute__((always_inline)) {
    Vector rows[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) rows[v] = *reinterpret_cast<const Vector*>(panel + (k * Vectors + v) * Lanes);
#pragma GCC unroll 16
    for (int c = 0; c < Columns; ++c) {
      const Vector weight = Vector{} + w[c * stride + k];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sums[c][v] += rows[v] * weight;
    }
  };
  std::int64_t k = 0;
  for (; k + line <= depth; k += line) {
    if constexpr (Ahead) {
#pragma GCC unroll 16
      for (int c = 0; c < Columns; ++c) __builtin_prefetch(w + (c + Columns) * stride + k);
    }
#pragma GCC unroll 4
    for (int i = 0; i < line; ++i) step(k + i);
  }
  for (; k < depth; ++k) step(k);
#pragma GCC unroll 16
  for (int c = 0; c < Columns; ++c) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) *reinterpret_cast<Vector*>(sums_out + (c * Vectors + v) * Lanes) = sums[c][v];
  }
}

/// One panel with the weight rows column .. end, from `from` in the depth.
template <int Lanes, int Vectors, int Columns>
[[gnu::always_inline]] inline void panel_products(const Products& p, std::int64_t row, const float* panel, std::int64_t from,
                                                  std::int64_t block, std::int64_t column, std::int64_t end) {
  constexpr int width = Lanes * Vectors;
  const auto depth = p.x.depth, rows = std::min<std::int64_t>(width, p.x.rows - row);
  const auto put = [&]<int Count>(const float* sums) __attribute__((always_inline)) {
    for (std::int64_t r = 0; r < rows; ++r) {
      float* out = p.y + (row + r) * p.columns + column;
      for (int c = 0; c < Count; ++c) out[c] = from == 0 ? sums[c * width + r] : out[c] + sums[c * width + r];
    }
  };
  float sums[Columns * width];
  for (; column + Columns <= end; column += Columns) {
    const float* weights = p.w + column * depth + from;
    if (row == 0) tile<Lanes, Vectors, Columns, true>(panel, weights, depth, block, sums);
    else tile<Lanes, Vectors, Columns, false>(panel, weights, depth, block, sums);
    put.template operator()<Columns>(sums);
  }
  for (; column < end; ++column) {
    tile<Lanes, Vectors, 1, false>(panel, p.w + column * depth + from, depth, block, sums);
    put.template operator()<1>(sums);
  }
}

template <int Lanes, int Columns>
[[gnu::always_inline]] inline void all_products(const Products& p, std::int64_t begin, std::int64_t end) {
  const auto depth = p.x.depth, block = depth_block(depth);
  for (auto column = begin; column < end; column += column_block) {
    const auto last = std::min(end, column + column_block);
    for (std::int64_t from = 0; from < depth; from += block) {
      const auto deep = std::min(block, depth - from);
      each_panel(p.x.rows, depth, 2 * Lanes, [&](std::int64_t row, std::int64_t width, std::int64_t offset) __attribute__((always_inline)) {
        const float* panel = p.x.values.get() + offset + from * width;
        if (width == 2 * Lanes) panel_products<Lanes, 2, Columns>(p, row, panel, from, deep, column, last);
        else panel_products<Lanes, 1, Columns>(p, row, panel, from, deep, column, last);
      });
    }
  }
}

/// Four rows of x become a column four wide of the panel, sixteen numbers at a time.
void turn_four_rows(const float* x, std::int64_t depth, std::int64_t begin, std::int64_t end, float* panel, std::int64_t width) {
  typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
  auto k = begin;
  for (; k + 4 <= end; k += 4) {
    const auto row = [&](int r) { return *reinterpret_cast<const Four*>(x + r * depth + k); };
    const Four low01 = __builtin_shufflevector(row(0), row(1), 0, 4, 1, 5), high01 = __builtin_shufflevector(row(0), row(1), 2, 6, 3, 7);
    const Four low23 = __builtin_shufflevector(row(2), row(3), 0, 4, 1, 5), high23 = __builtin_shufflevector(row(2), row(3), 2, 6, 3, 7);
    const auto put = [&](int i, Four values) { *reinterpret_cast<Four*>(panel + (k + i) * width) = values; };
    put(0, __builtin_shufflevector(low01, low23, 0, 1, 4, 5));
    put(1, __builtin_shufflevector(low01, low23, 2, 3, 6, 7));
    put(2, __builtin_shufflevector(high01, high23, 0, 1, 4, 5));
    put(3, __builtin_shufflevector(high01, high23, 2, 3, 6, 7));
  }
  for (; k < end; ++k)
    for (int r = 0; r < 4; ++r) panel[k * width + r] = x[r * depth + k];
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void products_avx2(const Products& p, std::int64_t begin, std::int64_t end) {
  all_products<8, 6>(p, begin, end);
}
__attribute__((target("avx512f,avx2,fma"))) void products_avx512(const Products& p, std::int64_t begin, std::int64_t end) {
  all_products<16, 12>(p, begin, end);
}
const int lanes = __builtin_cpu_supports("avx512f") ? 16 : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 8 : 4;
#else
const int lanes = 4;
#endif

}  // namespace

bool row_products_are_fast() { return lanes > 4; }

RowPanels::RowPanels(std::int64_t rows_in, std::int64_t depth_in) : rows(rows_in), depth(depth_in) {
  std::int64_t size = 0;
  each_panel(rows, depth, 2 * lanes, [&](auto, auto width, auto offset) { size = offset + width * depth; });
  values = std::make_unique_for_overwrite<float[]>(size);
}

void fill_row_panels(RowPanels& panels, const float* x, std::int64_t begin, std::int64_t end) {
  const auto depth = panels.depth;
  each_panel(panels.rows, depth, 2 * lanes, [&](std::int64_t row, std::int64_t width, std::int64_t offset) {
    float* panel = panels.values.get() + offset;
    const auto filled = std::min(width, panels.rows - row);
    std::int64_t r = 0;
    for (; r + 4 <= filled; r += 4) turn_four_rows(x + (row + r) * depth, depth, begin, end, panel + r, width);
    for (; r < width; ++r)
      for (auto k = begin; k < end; ++k) panel[k * width + r] = r < filled ? x[(row + r) * depth + k] : 0;
  });
}

void row_products(const RowPanels& x, const float* w, std::int64_t columns, std::int64_t begin, std::int64_t end, float* y) {
  const Products products{x, w, columns, y};
#if defined(__x86_64__)
  if (lanes == 16) return products_avx512(products, begin, end);
  if (lanes == 8) return products_avx2(products, begin, end);
#endif
  all_products<4, 4>(products, begin, end);
}

}  // namespace rlhf::models::kernels
