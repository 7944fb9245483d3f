#pragma once
#include <ATen/ops/empty.h>

#include <cstring>

#include "rlhf/core/tensor.h"

namespace rlhf::control {

/// Room for `rows` rows like those of [..., ...].
inline Tensor rows_like(const Tensor& tensor, std::int64_t rows) {
  auto shape = tensor.sizes().vec();
  shape[0] = rows;
  return at::empty(shape, tensor.options());
}

/// Copies rows of one tensor to another; both [rows, ...] of equal rows, in plain memory.
inline void copy_rows(const Tensor& source, std::int64_t from, const Tensor& target, std::int64_t to,
                      std::int64_t count = 1) {
  const auto bytes = target.nbytes() / static_cast<std::size_t>(target.size(0));
  std::memcpy(static_cast<char*>(target.mutable_data_ptr()) + static_cast<std::size_t>(to) * bytes,
              static_cast<const char*>(source.const_data_ptr()) + static_cast<std::size_t>(from) * bytes,
              static_cast<std::size_t>(count) * bytes);
}

}  // namespace rlhf::control
