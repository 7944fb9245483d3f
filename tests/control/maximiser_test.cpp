#include "rlhf/control/maximiser.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rlhf/control/caql.h"
#include "rlhf/control/linear_program.h"
#include "rlhf/control/relu_maximum.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/table.h"
#include "tests/control/reference_numbers.h"
#include "tests/control/run_until.h"
#include "tests/control/small_world.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

TEST(LinearProgram, WorkedByHand) {
  // The corners of x + y <= 4, x + 3y <= 6, x <= 3: 3x + 5y is largest where the first two meet, at (3, 1).
  const auto found = solve({.objective = {3, 5}, .upper = {3, 10}, .rows = {{1, 1}, {1, 3}}, .limits = {4, 6}});
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->value, 14, 1e-9);
  EXPECT_NEAR(found->x[0], 3, 1e-9);
  EXPECT_NEAR(found->x[1], 1, 1e-9);
}

TEST(LinearProgram, NeedsAStartOutsideAndSeesWhatCannotBe) {
  // x + y >= 1.5 with a price on both: x = 1, y = 0.5
  const auto found = solve({.objective = {-1, -2}, .upper = {1, 1}, .rows = {{-1, -1}}, .limits = {-1.5}});
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->value, -2, 1e-9);
  EXPECT_FALSE(solve({.objective = {-1, -2}, .upper = {1, 1}, .rows = {{-1, -1}}, .limits = {-2.5}}));
}

/// Numbers of tests/reference/control/make_relu_maxima.py.
TEST(ReluMaximum, IsThatOfAnotherSolver) {
  const auto all = reference("relu_maxima.json");
  for (const auto& one : all.at("networks")) {
    std::vector<ReluLayer> layers;
    for (const auto& layer : one.at("layers")) layers.push_back({layer.at("weights"), layer.at("biases")});
    const std::vector<double> low(layers[0].weights[0].size(), -1), high(low.size(), 1);
    const auto found = maximum(layers, low, high);
    EXPECT_NEAR(found.value, one.at("maximum").get<double>(), 1e-5) << found.nodes;
    EXPECT_NEAR(value_at(layers, found.inputs), found.value, 1e-12);
    EXPECT_TRUE(found.proven);
    EXPECT_GE(found.root_bound, found.value - 1e-9);
  }
}

std::unique_ptr<models::Network> random_network(std::int64_t inputs, std::vector<std::int64_t> hidden,
                                                std::uint64_t seed) {
  return models::make_network({.hidden = std::move(hidden), .activation = models::Activation::relu}, {inputs}, 1, 1.0,
                              seed);
}

Tensor states(std::int64_t rows, std::uint64_t seed) {
  std::vector<float> numbers;
  Random random(seed);
  for (std::int64_t i = 0; i < rows * 3; ++i) numbers.push_back(static_cast<float>(random.normal()));
  return at::tensor(numbers).view({rows, 3});
}

TEST(Maximiser, ExactIsThatOfAFineGrid) {
  const at::NoGradGuard no_gradient;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const auto network = random_network(4, {12, 8}, seed);
    const auto seen = states(3, seed);
    Random random(1);
    const auto found = maximise(*network, seen, 1, {.kind = Maximiser::exact}, random);
    const auto grid = at::linspace(-1, 1, 20001, at::kFloat).view({-1, 1});
    for (std::int64_t row = 0; row < 3; ++row) {
      const auto all = network->forward(at::cat({seen.narrow(0, row, 1).expand({20001, -1}), grid}, 1));
      EXPECT_NEAR(found.values.select(0, row).item<double>(), all.max().item<double>(), 2e-4);
      EXPECT_GE(found.values.select(0, row).item<double>(), all.max().item<double>() - 1e-5);
    }
  }
}

TEST(Maximiser, NoneFindsMoreThanTheExactOneAndGradientComesClose) {
  std::int64_t close = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto network = random_network(3 + 2, {16, 16}, 100 + seed);  // 32 units
    const auto seen = states(8, 200 + seed);
    Random random(seed);
    const auto most = maximise(*network, seen, 2, {.kind = Maximiser::exact}, random).values;
    for (const auto kind : {Maximiser::candidates, Maximiser::gradient, Maximiser::cross_entropy}) {
      const auto found = maximise(*network, seen, 2, {.kind = kind}, random);
      EXPECT_LE((found.values - most).max().item<float>(), 1e-5F);
      EXPECT_LE(found.actions.abs().max().item<float>(), 1.0F);
      if (kind != Maximiser::gradient) continue;
      close += (most - found.values <= 0.02 * most.abs()).sum().item<std::int64_t>();
      all += most.numel();
    }
  }
  EXPECT_GE(double(close), 0.7 * double(all));  // 31 of 40: twenty short steps stop on the way, or at local maxima
}

TEST(Maximiser, SaysWhatItDidNotProve) {
  const auto network = random_network(3 + 2, {16, 16}, 100);
  Random random(1);
  EXPECT_EQ(maximise(*network, states(8, 200), 2, {.kind = Maximiser::exact}, random).unproven, 0);
  EXPECT_GT(maximise(*network, states(8, 200), 2, {.kind = Maximiser::exact, .most_nodes = 1}, random).unproven, 0);
}

TEST(Maximiser, RefusesWhatWouldTakeTooLong) {
  const auto network = random_network(5, {100, 100}, 1);
  Random random(1);
  EXPECT_EQ(error_of([&] { maximise(*network, states(1, 1), 2, {.kind = Maximiser::exact}, random); }).category(),
            Category::usage);
}

TEST(Caql, RefusesNetworksWhoseMaximaItCannotFind) {
  const auto spec = small_spec(environments::Box{.shape = {1}, .low = {-1}, .high = {1}});
  CaqlConfig config;
  config.network.architecture = models::Architecture::nature;
  EXPECT_EQ(error_of([&] { CaqlAgent(spec, config); }).where(), "network.architecture");
  config.network.architecture = models::Architecture::mlp;
  config.network.activation = models::Activation::tanh;
  config.maximiser.kind = Maximiser::exact;
  EXPECT_EQ(error_of([&] { CaqlAgent(spec, config); }).where(), "maximiser.kind");
}

TEST(Caql, UpdateWorkedByHand) {
  CaqlConfig config;
  config.network.hidden = {};  // linear: the best action is the sign of its weight
  config.learning_rate = 1e-3;
  config.target_share = 1e-9;
  config.maximiser.kind = Maximiser::exact;
  CaqlAgent agent(small_spec(environments::Box{.shape = {1}, .low = {-1}, .high = {1}}), config);
  {
    const at::NoGradGuard no_gradient;
    for (auto& [name, weight] : agent.weights())
      weight.copy_(name.ends_with("weight") ? at::tensor({1.0F, 0.0F, 0.0F, -0.5F}).view({1, 4}) : at::tensor({0.25F}));
  }
  const Transitions batch{.observations = at::tensor({2.0F, 0.0F, 0.0F}).view({1, 3}),
                          .actions = at::tensor({0.5F}).view({1, 1}),
                          .rewards = at::tensor({1.0F}),
                          .next_observations = at::tensor({3.0F, 0.0F, 0.0F}).view({1, 3}),
                          .discounts = at::tensor({0.9F})};
  Random random(1);
  const auto result = agent.update(batch, random);
  // Q(s, a) = 2 - 0.25 + 0.25 = 2;  y = 1 + 0.9 (3 + 0.5 + 0.25) = 4.375
  EXPECT_NEAR(result.value, 2.0, 1e-6);
  EXPECT_NEAR(result.loss, 2.375 * 2.375, 1e-4);
  EXPECT_NEAR(result.errors.item<double>(), 2.375, 1e-5);
}

std::string trained(const std::filesystem::path& folder, std::int64_t stop_after) {
  const auto environment = environments::make_vector(environments::builtin_environments(), "pendulum", nullptr, {});
  CaqlConfig config;
  config.network.hidden = {16};
  config.total_steps = 300;
  config.start = 100;
  config.batch = 8;
  config.report_every = 100;
  std::int64_t steps = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && steps >= stop_after; });
  train_caql(*environment, config, {.after = [&](std::int64_t) { ++steps; }}, run);
  return read_file(folder / "checkpoints/latest/agent.safetensors");
}

TEST(Caql, ResumesToTheSameBits) {
  const ScratchFolder scratch;
  const auto expected = trained(scratch / "whole", 0);
  trained(scratch / "cut", 170);
  EXPECT_EQ(trained(scratch / "cut", 0), expected);
  EXPECT_EQ(read_file(scratch / "cut/metrics.jsonl"), read_file(scratch / "whole/metrics.jsonl"));
}

}  // namespace
}  // namespace rlhf::control
