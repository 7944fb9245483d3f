#include "rlhf/algorithms/percept.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

std::vector<float> scaled(const data::Array& observation, const std::vector<double>& scale) {
  std::vector<float> seen;
  std::visit(
      [&](const auto& numbers) {
        if (numbers.size() != scale.size())
          throw Error({.category = Category::usage,
                       .where = "scale",
                       .what = fmt::format("an observation has {} numbers, the scale {}", numbers.size(), scale.size()),
                       .fix = "Give one scale for each number of the observation."});
        for (std::size_t i = 0; i < scale.size(); ++i)
          seen.push_back(static_cast<float>(static_cast<double>(numbers[i]) * scale[i]));
      },
      observation);
  return seen;
}

std::vector<float> encoded(const data::Array& observation, const models::FrameAutoencoder& encoder) {
  const auto& shape = encoder.seen();
  const auto* bytes = std::get_if<std::vector<std::uint8_t>>(&observation);
  if (!bytes || std::ssize(*bytes) != shape[0] * shape[1] * shape[2])
    throw Error({.category = Category::usage,
                 .where = "encoder",
                 .what = "an observation is no picture of the encoder's size",
                 .fix = "Give the encoder that was learnt in this environment."});
  auto frames = at::empty({1, shape[0], shape[1], shape[2]}, at::kFloat);
  auto* pixels = frames.mutable_data_ptr<float>();
  for (std::size_t i = 0; i < bytes->size(); ++i) pixels[i] = static_cast<float>((*bytes)[i]) / 255.0F;
  const auto code = encoder.encode(frames);
  const auto* numbers = code.const_data_ptr<float>();
  return {numbers, numbers + code.numel()};
}

}  // namespace

Percept see(const Eyes& eyes, const data::Array& observation, std::int64_t constants) {
  auto seen = eyes.frames ? encoded(observation, *eyes.frames) : scaled(observation, eyes.scale);
  if (eyes.squash)
    for (float& number : seen) number = std::tanh(number);
  seen.resize(seen.size() + static_cast<std::size_t>(constants), 1.0F);
  return std::make_shared<const std::vector<float>>(std::move(seen));
}

std::int64_t width_of(const Eyes& eyes) { return eyes.frames ? eyes.frames->features() : std::ssize(eyes.scale); }

std::vector<double> feature_scale(const environments::Spec& spec) {
  const auto* box = std::get_if<environments::Box>(&spec.observation);
  if (!box) return {1.0};
  std::int64_t numbers = 1;
  for (const auto side : box->shape) numbers *= side;
  std::vector<double> scale;
  for (std::size_t i = 0; i < static_cast<std::size_t>(numbers); ++i) {
    const auto bound = [&](const std::vector<double>& all) { return std::abs(all[all.size() == 1 ? 0 : i]); };
    const double most = std::max(bound(box->low), bound(box->high));
    // An unbounded number may be written as the greatest float.
    scale.push_back(std::isfinite(most) && most > 0 && most < 1e30 ? 1 / most : 0.5);
  }
  return scale;
}

bool shows_pictures(const environments::Spec& spec) {
  const auto* box = std::get_if<environments::Box>(&spec.observation);
  return box && box->dtype == environments::Dtype::uint8 && box->shape.size() == 3;
}

}  // namespace rlhf::algorithms
