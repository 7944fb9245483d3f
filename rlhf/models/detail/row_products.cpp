#include "rlhf/models/detail/row_products.h"

#include <algorithm>
#include <cstring>

namespace rlhf::models::kernels {
namespace {

struct Matrices {
  const float* x;
  const float* w;
  std::int64_t rows, columns, depth;
  float* y;
};

constexpr std::int64_t depth_block = 1024;  // weights of a tile and rows of x stay in the first-level cache

/// Sums of a tile of Rows x Columns, `Lanes` partial sums each, over one block of the depth. Inlined into functions that
/// are compiled for one instruction set each.
template <int Lanes, int Rows, int Columns>
[[gnu::always_inline]] inline void tile(const Matrices& m, std::int64_t row, std::int64_t column, std::int64_t from,
                                        std::int64_t to) {
  typedef float Vector __attribute__((vector_size(4 * Lanes), aligned(4), may_alias));
  const float* x = m.x + row * m.depth;
  const float* w = m.w + column * m.depth;
  Vector sums[Rows][Columns];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < Columns; ++c) sums[r][c] = Vector{};
  }
  std::int64_t k = from;
  for (; k + Lanes <= to; k += Lanes) {
    Vector weights[Columns];
    for (int c = 0; c < Columns; ++c) weights[c] = *reinterpret_cast<const Vector*>(w + c * m.depth + k);
    for (int r = 0; r < Rows; ++r) {
      const Vector values = *reinterpret_cast<const Vector*>(x + r * m.depth + k);
      for (int c = 0; c < Columns; ++c) sums[r][c] += values * weights[c];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int c = 0; c < Columns; ++c) {
      float total = 0;
      for (int lane = 0; lane < Lanes; ++lane) total += sums[r][c][lane];
      for (std::int64_t tail = k; tail < to; ++tail) total += x[r * m.depth + tail] * w[c * m.depth + tail];
      float& out = m.y[(row + r) * m.columns + column + c];
      out = from == 0 ? total : out + total;
    }
  }
}

template <int Lanes, int Rows, int Columns>
[[gnu::always_inline]] inline void all_tiles(const Matrices& m, std::int64_t begin, std::int64_t end) {
  for (std::int64_t from = 0; from < m.depth; from += depth_block) {
    const auto to = std::min(m.depth, from + depth_block);
    std::int64_t column = begin;
    const auto rows_of = [&]<int Width>() __attribute__((always_inline)) {
      std::int64_t row = 0;
      for (; row + Rows <= m.rows; row += Rows) tile<Lanes, Rows, Width>(m, row, column, from, to);
      for (; row < m.rows; ++row) tile<Lanes, 1, Width>(m, row, column, from, to);
    };
    for (; column + Columns <= end; column += Columns) rows_of.template operator()<Columns>();
    for (; column < end; ++column) rows_of.template operator()<1>();
  }
}

}  // namespace

#if defined(__x86_64__)
namespace {
__attribute__((target("avx2,fma"))) void products_avx2(const Matrices& m, std::int64_t begin, std::int64_t end) {
  all_tiles<8, 4, 3>(m, begin, end);
}
__attribute__((target("avx512f,avx2,fma"))) void products_avx512(const Matrices& m, std::int64_t begin, std::int64_t end) {
  all_tiles<16, 6, 4>(m, begin, end);
}
}  // namespace

bool row_products_are_fast() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

void row_products(const float* x, std::int64_t rows, const float* w, std::int64_t columns, std::int64_t depth,
                  std::int64_t begin, std::int64_t end, float* y) {
  const Matrices m{x, w, rows, columns, depth, y};
  if (__builtin_cpu_supports("avx512f")) return products_avx512(m, begin, end);
  if (row_products_are_fast()) return products_avx2(m, begin, end);
  all_tiles<4, 2, 2>(m, begin, end);
}
#else
bool row_products_are_fast() { return false; }

void row_products(const float* x, std::int64_t rows, const float* w, std::int64_t columns, std::int64_t depth,
                  std::int64_t begin, std::int64_t end, float* y) {
  all_tiles<4, 2, 2>({x, w, rows, columns, depth, y}, begin, end);
}
#endif

}  // namespace rlhf::models::kernels
