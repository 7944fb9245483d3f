#include "rlhf/environments/vector.h"

#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

[[noreturn]] void throw_usage(const Spec& spec, std::string what, std::string fix) {
  throw Error({.category = Category::usage,
               .where = "environment " + spec.name,
               .what = std::move(what),
               .fix = std::move(fix)});
}

at::ScalarType type_of(Dtype dtype) {
  constexpr at::ScalarType types[] = {at::kByte, at::kLong, at::kFloat, at::kDouble};
  return types[static_cast<int>(dtype)];
}

Tensor observation_buffer(const Spec& spec, std::int64_t environments) {
  const auto& box = std::get<Box>(spec.observation);
  std::vector<std::int64_t> shape = {environments};
  shape.insert(shape.end(), box.shape.begin(), box.shape.end());
  return at::zeros(shape, type_of(box.dtype));
}

}  // namespace

std::uint64_t episode_seed(std::uint64_t seed, std::int64_t environment, std::int64_t episode) {
  return derive(seed, {static_cast<std::uint64_t>(environment), static_cast<std::uint64_t>(episode)});
}

std::size_t observed_numbers(const Spec& spec) {
  std::size_t numbers = 1;
  for (const auto side : std::get<Box>(spec.observation).shape) numbers *= static_cast<std::size_t>(side);
  return numbers;
}

std::vector<double> given_state(const Spec& spec, const nlohmann::json& options) {
  if (!options.is_object() || !options.contains("state")) return {};
  try {
    return options["state"].get<std::vector<double>>();
  } catch (const nlohmann::json::exception&) {
    throw_usage(spec, "the option 'state' of reset is " + options["state"].dump(), "Give a list of numbers.");
  }
}

void require_numbers(const Spec& spec, const std::vector<double>& numbers, const std::vector<std::string>& names) {
  const bool finite = std::all_of(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); });
  if (finite && numbers.size() == names.size()) return;
  throw_usage(spec, fmt::format("the option 'state' of reset holds {} numbers", numbers.size()),
              fmt::format("Give {}: {}.", names.size(), fmt::join(names, ", ")));
}

void require_limit(std::int64_t max_steps) {
  if (max_steps >= 0) return;
  throw Error({.category = Category::usage,
               .where = "max_steps",
               .what = "it is negative",
               .fix = "Give the longest episode in steps, or 0 for no limit."});
}

void throw_no_state(const Spec& spec) {
  throw Error({.category = Category::bad_data,
               .where = "environment " + spec.name,
               .what = "these bytes are no state of it",
               .fix = "Give what state() of the same environment returned."});
}

VectorStep make_vector_step(const Spec& spec, const VectorOptions& options) {
  if (options.count < 1) throw_usage(spec, "no environments were asked for", "Take one or more.");
  VectorStep step{.observations = observation_buffer(spec, options.count),
                  .rewards = at::zeros({options.count}, at::kDouble),
                  .terminated = at::zeros({options.count}, at::kBool),
                  .truncated = at::zeros({options.count}, at::kBool)};
  if (options.auto_reset == AutoReset::same_step) step.final_observations = observation_buffer(spec, options.count);
  return step;
}

const Tensor& earned(const VectorStep& step) { return step.true_rewards.defined() ? step.true_rewards : step.rewards; }

void clear_flags(VectorStep& step) {
  step.rewards.zero_();
  if (step.true_rewards.defined()) step.true_rewards.zero_();
  step.terminated.zero_();
  step.truncated.zero_();
  step.ended = 0;
}

Tensor stacked(std::span<const Action> actions) {
  const auto rows = std::ssize(actions);
  const auto* numbers = rows > 0 ? std::get_if<std::vector<float>>(&actions[0]) : nullptr;
  const auto width = numbers ? std::ssize(*numbers) : 1;
  auto all = numbers ? at::zeros({rows, width}, at::kFloat) : at::zeros({rows}, at::kLong);
  for (std::int64_t i = 0; i < rows; ++i) {
    if (numbers)
      std::copy_n(std::get<std::vector<float>>(actions[static_cast<std::size_t>(i)]).begin(), width,
                  all.mutable_data_ptr<float>() + i * width);
    else
      all.mutable_data_ptr<std::int64_t>()[i] = std::get<std::int64_t>(actions[static_cast<std::size_t>(i)]);
  }
  return all;
}

Tensor stacked(const Spec& spec, std::span<const Array> observations) {
  auto all = observation_buffer(spec, std::ssize(observations));
  auto* to = static_cast<char*>(all.mutable_data_ptr());
  for (const auto& observation : observations)
    std::visit(
        [&](const auto& numbers) {
          const auto bytes = numbers.size() * sizeof(numbers[0]);
          std::memcpy(to, numbers.data(), bytes);
          to += bytes;
        },
        observation);
  return all;
}

void check_actions(const Spec& spec, const Tensor& actions, std::int64_t environments) {
  if (const auto* space = std::get_if<Discrete>(&spec.action)) {
    if (actions.scalar_type() != at::kLong || actions.dim() != 1 || actions.size(0) != environments ||
        !actions.is_contiguous())
      throw_usage(spec, fmt::format("the actions have shape [{}]", fmt::join(actions.sizes(), ", ")),
                  fmt::format("Give int64 [{}]: one choice for each environment.", environments));
    const auto* choices = actions.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < environments; ++i)
      if (static_cast<std::uint64_t>(choices[i]) >= space->choices.size())
        throw_usage(spec, fmt::format("there is no action {}", choices[i]),
                    fmt::format("Give an index from 0: {}.", fmt::join(space->choices, ", ")));
    return;
  }
  std::int64_t numbers = environments;
  for (const auto side : std::get<Box>(spec.action).shape) numbers *= side;
  if (actions.scalar_type() != at::kFloat || actions.numel() != numbers || !actions.is_contiguous())
    throw_usage(spec, fmt::format("the actions have shape [{}]", fmt::join(actions.sizes(), ", ")),
                fmt::format("Give float32 [{}, {}].", environments, numbers / environments));
  const auto* first = actions.const_data_ptr<float>();
  if (!std::all_of(first, first + numbers, [](float number) { return std::isfinite(number); }))
    throw_usage(spec, "an action holds something that is no number", "Look for a division by zero in the policy.");
}

}  // namespace rlhf::environments
