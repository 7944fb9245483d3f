#include "rlhf/models/random_weights.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "rlhf/core/seed.h"

namespace rlhf::models {

WeightSource random_weights(std::uint64_t seed, double deviation) {
  return {.has = [](const std::string&) { return true; },
          .make = [seed, deviation](const std::string& name, const std::vector<std::int64_t>& shape) {
            if (name.ends_with(".bias")) return at::zeros(shape, at::kFloat);
            if (shape.size() == 1) return at::ones(shape, at::kFloat);
            auto weight = at::empty(shape, at::kFloat);
            Random random(derive(seed, {hash(name)}));
            auto* values = weight.mutable_data_ptr<float>();
            for (std::int64_t i = 0; i < weight.numel(); ++i) values[i] = static_cast<float>(deviation * random.normal());
            return weight;
          }};
}

}  // namespace rlhf::models
