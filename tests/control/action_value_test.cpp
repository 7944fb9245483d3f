// Critics of actions that are numbers, where what is seen is a picture.
#include "rlhf/models/action_value.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "rlhf/control/noise.h"
#include "rlhf/control/sac.h"

namespace rlhf::control {
namespace {

using models::Architecture;

TEST(ActionValue, OfPicturesTeachesItsEyesAndTellsActionsApart) {
  const models::ActionValue value({.architecture = Architecture::nature, .hidden = {16}}, {1, 36, 36}, 2, 5);
  const auto pictures = at::rand({3, 1, 36, 36});
  auto actions = at::zeros({3, 2}).requires_grad_();
  const auto judged = value(pictures, actions);
  EXPECT_EQ(judged.sizes(), (std::vector<std::int64_t>{3}));
  judged.sum().backward();
  for (const auto& [name, weight] : value.weights()) {
    ASSERT_TRUE(weight.grad().defined()) << name;
    EXPECT_GT(weight.grad().abs().sum().item<double>(), 0) << name;
  }
  EXPECT_GT(actions.grad().abs().min().item<double>(), 0);
  EXPECT_GT((value(pictures, at::full({3, 2}, 0.5)) - judged).abs().min().item<double>(), 1e-4);
}

/// A light on the left asks for -0.5, on the right for 0.5; each step is an episode.
Transitions lights(std::int64_t rows, Random& random) {
  auto pictures = at::zeros({rows, 1, 36, 36}, at::kByte);
  auto wanted = at::full({rows, 1}, -0.5F);
  for (std::int64_t row = 0; row < rows; ++row) {
    const bool right = random.below(2) == 1;
    pictures[row].narrow(2, right ? 18 : 0, 18).fill_(255);
    if (right) wanted[row].fill_(0.5);
  }
  auto actions = uniform_noise(rows, 1, random);
  return {.observations = pictures,
          .actions = actions,
          .rewards = -(actions - wanted).square().sum(1),
          .next_observations = pictures,
          .discounts = at::zeros({rows}),
          .weights = {},
          .places = {}};
}

TEST(Sac, LearnsFromPictures) {
  const environments::Spec spec{
      .name = "lights",
      .observation =
          environments::Box{.dtype = environments::Dtype::uint8, .shape = {1, 36, 36}, .low = {0}, .high = {255}},
      .action = environments::Box{.shape = {1}, .low = {-1}, .high = {1}}};
  SacConfig config;
  config.network.architecture = Architecture::nature;
  config.network.hidden = {32};
  config.learning_rate = 3e-4;
  config.temperature = 0.05;
  SacAgent agent(spec, config);
  Random random(3);
  for (int i = 0; i < 300; ++i)
    agent.update(lights(16, random), normal_noise(16, 1, random), normal_noise(16, 1, random));
  auto both = at::zeros({2, 1, 36, 36}, at::kByte);
  both[0].narrow(2, 0, 18).fill_(255);
  both[1].narrow(2, 18, 18).fill_(255);
  const auto chosen = agent.best(both);
  EXPECT_NEAR(chosen[0].item<double>(), -0.5, 0.3);
  EXPECT_NEAR(chosen[1].item<double>(), 0.5, 0.3);
}

}  // namespace
}  // namespace rlhf::control
