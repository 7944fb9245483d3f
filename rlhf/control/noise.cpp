#include "rlhf/control/noise.h"

#include <ATen/ops/empty.h>

namespace rlhf::control {
namespace {

Tensor drawn(std::int64_t rows, std::int64_t numbers, const auto& draw) {
  auto noise = at::empty({rows, numbers}, at::kFloat);
  for (std::int64_t i = 0; i < noise.numel(); ++i) noise.mutable_data_ptr<float>()[i] = static_cast<float>(draw());
  return noise;
}

}  // namespace

Tensor normal_noise(std::int64_t rows, std::int64_t numbers, Random& random) {
  return drawn(rows, numbers, [&] { return random.normal(); });
}

Tensor uniform_noise(std::int64_t rows, std::int64_t numbers, Random& random) {
  return drawn(rows, numbers, [&] { return 2 * random.uniform() - 1; });
}

}  // namespace rlhf::control
