#include "rlhf/environments/detail/worker_spec.h"

#include <fmt/format.h>

#include <limits>

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace {

[[noreturn]] void throw_wrong(const WorkerProgram& program, const std::string& what) {
  throw Error({.category = Category::bad_data,
               .where = "environment " + program.name,
               .what = "its worker describes it wrongly: " + what,
               .fix = "docs/workers.md says what the answer to \"make\" has to hold."});
}

double bound_from(const nlohmann::json& number) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!number.is_string()) return number.get<double>();
  const auto word = number.get<std::string>();
  if (word != "inf" && word != "-inf") throw std::runtime_error("a bound is '" + word + "'");
  return word == "inf" ? infinity : -infinity;
}

std::vector<double> bounds_from(const nlohmann::json& list, std::size_t numbers) {
  std::vector<double> bounds;
  for (const auto& number : list) bounds.push_back(bound_from(number));
  if (bounds.size() != 1 && bounds.size() != numbers)
    throw std::runtime_error(fmt::format("{} bounds for {} numbers", bounds.size(), numbers));
  return bounds;
}

Dtype dtype_from(const std::string& name) {
  constexpr const char* names[] = {"uint8", "int64", "float32", "float64"};
  for (int i = 0; i < 4; ++i)
    if (name == names[i]) return static_cast<Dtype>(i);
  throw std::runtime_error("the dtype '" + name + "'; known are uint8, int64, float32, float64");
}

Box box_from(const nlohmann::json& said) {
  Box box{.dtype = dtype_from(said.at("dtype")), .shape = said.at("shape").get<std::vector<std::int64_t>>()};
  std::size_t numbers = 1;
  for (const auto side : box.shape) {
    if (side < 1 || side > 1'000'000) throw std::runtime_error(fmt::format("a side of {} numbers", side));
    numbers *= static_cast<std::size_t>(side);
  }
  if (numbers > 100'000'000) throw std::runtime_error(fmt::format("{} numbers in one observation", numbers));
  box.low = bounds_from(said.at("low"), numbers);
  box.high = bounds_from(said.at("high"), numbers);
  box.stack = said.value("stack", std::int64_t{1});
  if (box.stack < 1 || (box.stack > 1 && (box.shape.empty() || box.shape[0] % box.stack != 0)))
    throw std::runtime_error(fmt::format("a stack of {}", box.stack));
  return box;
}

Space action_from(const nlohmann::json& said) {
  if (said.contains("choices")) {
    const auto choices = said["choices"].get<std::vector<std::string>>();
    if (choices.empty()) throw std::runtime_error("no choices");
    return Discrete{choices};
  }
  auto box = box_from(said);
  if (box.dtype != Dtype::float32) throw std::runtime_error("numbers of an action are float32");
  return box;
}

}  // namespace

Spec spec_of_worker(const nlohmann::json& said, const WorkerProgram& program) {
  try {
    return {.name = program.name,
            .version = said.value("version", 1),
            .observation = box_from(said.at("observation")),
            .action = action_from(said.at("action")),
            .max_steps = said.value("max_steps", std::int64_t{0}),
            .step_seconds = said.value("step_seconds", 0.0),
            .can = {.state = said.value("state", false), .render = said.value("render", false)},
            .settings = program.settings,
            .manifest = said.value("manifest", nlohmann::json())};
  } catch (const nlohmann::json::exception& problem) {
    throw_wrong(program, problem.what());
  } catch (const std::runtime_error& problem) {
    throw_wrong(program, problem.what());
  }
}

}  // namespace rlhf::environments
