#include "rlhf/models/observation.h"

#include <ATen/ops/zeros.h>

#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::models {
namespace {

constexpr std::int64_t most_units = 100000;

[[noreturn]] void throw_no_index(const environments::Spec& spec, const char* what) {
  throw Error({.category = Category::usage,
               .where = "environment " + spec.name,
               .what = what,
               .fix = "Wrap it so that it observes floating-point numbers."});
}

}  // namespace

Encoder::Encoder(const environments::Spec& spec) {
  const auto& box = std::get<environments::Box>(spec.observation);
  dtype_ = box.dtype;
  shape_ = box.shape;
  if (dtype_ != environments::Dtype::int64) return;
  std::int64_t numbers = 1, units = 0;
  for (const auto side : box.shape) numbers *= side;
  for (std::int64_t i = 0; i < numbers; ++i) {
    const double low = box.low[box.low.size() == 1 ? 0 : i], high = box.high[box.high.size() == 1 ? 0 : i];
    if (!std::isfinite(low) || !std::isfinite(high)) throw_no_index(spec, "it observes whole numbers without bounds");
    lows_.push_back(static_cast<std::int64_t>(low));
    begins_.push_back(units);
    units += static_cast<std::int64_t>(high - low) + 1;
    if (units > most_units) throw_no_index(spec, "it observes whole numbers of too wide a range for one unit each");
  }
  shape_ = {units};
}

Tensor Encoder::operator()(const Tensor& observations) const {
  if (dtype_ == environments::Dtype::uint8) return observations.to(at::kFloat).div_(255);
  if (dtype_ != environments::Dtype::int64) return observations.to(at::kFloat);
  const auto rows = observations.size(0);
  auto encoded = at::zeros({rows, shape_[0]}, at::kFloat);
  const auto plain = observations.contiguous();
  const auto* seen = plain.const_data_ptr<std::int64_t>();
  auto* out = encoded.mutable_data_ptr<float>();
  const auto numbers = lows_.size();
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < numbers; ++i)
      out[row * shape_[0] + begins_[i] + seen[row * numbers + i] - lows_[i]] = 1.0F;
  return encoded;
}

}  // namespace rlhf::models
