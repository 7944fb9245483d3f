#include "rlhf/control/ppo.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "rlhf/core/files.h"
#include "rlhf/environments/table.h"
#include "rlhf/models/mlp.h"
#include "tests/control/run_until.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

std::unique_ptr<environments::VectorEnvironment> make(const char* name, std::int64_t count) {
  return environments::make_vector(environments::builtin_environments(), name, nullptr, {.count = count});
}

PpoConfig quick(std::int64_t total) {
  return {
      .total_steps = total, .envs = 8, .steps = 64, .epochs = 6, .minibatch = 256, .learning_rate = 2e-3, .seed = 3};
}

std::vector<double> trained(const std::filesystem::path& folder, PpoConfig config, std::int64_t stop_after,
                            const char* name = "cart_pole") {
  const auto environments = make(name, config.envs);
  models::ActorCritic agent(environments->spec(), {.seed = 5});
  std::int64_t rollouts = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && rollouts >= stop_after; });
  train(agent, *environments, config, {.after = [&](std::int64_t, const Rollout&) { ++rollouts; }}, run);
  const auto fresh = make(name, 10);
  return play(*fresh, greedy(agent), 20, 9);
}

TEST(ControlPpo, LearnsToBalanceAPole) {
  const ScratchFolder scratch;
  EXPECT_GT(mean(trained(scratch.path() / "run", quick(60000), 0)), 300);
}

TEST(ControlPpo, ResumesToTheSameBits) {
  const ScratchFolder scratch;
  for (const char* name : {"cart_pole", "pendulum"}) {
    const auto whole = scratch.path() / (std::string(name) + "-whole"),
               cut = scratch.path() / (std::string(name) + "-cut");
    const auto expected = trained(whole, quick(512 * 7), 0, name);
    trained(cut, quick(512 * 7), 3, name);
    EXPECT_EQ(trained(cut, quick(512 * 7), 0, name), expected) << name;
    EXPECT_EQ(read_file(cut / "metrics.jsonl"), read_file(whole / "metrics.jsonl")) << name;
    EXPECT_EQ(read_file(cut / "checkpoints/latest/agent.safetensors"),
              read_file(whole / "checkpoints/latest/agent.safetensors"))
        << name;
  }
}

TEST(ControlPpo, ATimeLimitIsNoEnd) {
  const auto environments = environments::make_vector(environments::builtin_environments(), "cart_pole_fixed",
                                                      {{"max_steps", 5}}, {.count = 2});
  models::ActorCritic agent(environments->spec(), {});
  Collector collector(*environments, agent, 12, 1);
  const auto rollout = collector.collect();
  EXPECT_EQ(rollout.starts, (std::vector<std::int64_t>{0, 5, 10, 12, 17, 22, 24}));
  for (std::int64_t i = 0; i < rollout.after.numel(); ++i) EXPECT_NE(rollout.after[i].item<float>(), 0) << i;
  EXPECT_EQ(collector.episodes().finished(), 4);
}

TEST(ControlPpo, OldLogprobsAreThoseOfTheFirstUpdate) {
  const auto environments = make("acrobot", 4);
  models::ActorCritic agent(environments->spec(), {.seed = 2});
  Collector collector(*environments, agent, 20, 1);
  const auto rollout = collector.collect();
  const auto policy = agent.policy(agent.encode()(rollout.flat(rollout.observations)));
  const auto judged = models::judge(policy, rollout.flat(rollout.actions));
  EXPECT_LE((judged.logprobs - rollout.flat(rollout.logprobs)).abs().max().item<float>(), 1e-6F);
}

TEST(ControlPpo, AMinibatchOfOneStepIsLearntFromAsItIs) {
  const auto environments = make("cart_pole", 3);
  models::ActorCritic agent(environments->spec(), {.seed = 2});
  const PpoConfig config{.total_steps = 129, .envs = 3, .steps = 43, .epochs = 1, .minibatch = 128};
  algorithms::AdamW optimizer(agent.weights(), config.adam);
  const auto rollout = Collector(*environments, agent, config.steps, 1).collect();
  EXPECT_EQ(update(agent, optimizer, rollout, config, 0).updates, 2);
}

TEST(ControlPpo, StopsWhereThePolicyIsTooFarAway) {
  const auto environments = make("cart_pole", 4);
  models::ActorCritic agent(environments->spec(), {.seed = 2});
  PpoConfig config{.total_steps = 128, .envs = 4, .steps = 32, .epochs = 5, .minibatch = 32, .learning_rate = 1e-2};
  const auto rollout = Collector(*environments, agent, config.steps, 1).collect();
  algorithms::AdamW optimizer(agent.weights(), config.adam);
  config.target_kl = 1e-9;  // the first minibatch is judged by the policy that acted, the second finds another
  EXPECT_EQ(update(agent, optimizer, rollout, config, 0).updates, 1);
  config.target_kl = 1e9;
  EXPECT_EQ(update(agent, optimizer, rollout, config, 0).updates, 20);
}

/// The same network as a graph of its operations.
Tensor plain_forward(const models::NamedWeights& weights, Tensor values, models::Activation activation) {
  for (std::size_t layer = 0; layer < weights.size(); layer += 2) {
    values = at::linear(values, weights[layer].second, weights[layer + 1].second);
    if (layer + 2 == weights.size()) break;
    if (activation == models::Activation::tanh) values = at::tanh(values);
    if (activation == models::Activation::relu) values = at::relu(values);
    if (activation == models::Activation::leaky_relu) values = at::leaky_relu(values, 0.01);
  }
  return values;
}

TEST(Networks, AllLayersAtOnceAreTheirOperationsAndGradients) {
  for (const auto activation : {models::Activation::tanh, models::Activation::relu, models::Activation::leaky_relu}) {
    models::Mlp network(4, {.hidden = {6, 5}, .activation = activation}, 3, 1.0, 7);
    const auto input = (3 * at::randn({90, 4})).requires_grad_(), same = input.detach().clone().requires_grad_();
    const auto weigh = at::randn({90, 3});
    const auto output = network.forward(input);
    (output * weigh).sum().backward();
    std::vector<Tensor> gradients;
    for (auto& [name, weight] : network.weights()) {
      gradients.push_back(weight.grad().clone());
      weight.mutable_grad() = Tensor();
    }
    const auto expected = plain_forward(network.weights(), same, activation);
    (expected * weigh).sum().backward();
    EXPECT_TRUE(at::allclose(output, expected, 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(input.grad(), same.grad(), 1e-4, 1e-5));
    std::size_t i = 0;
    for (const auto& [name, weight] : network.weights())
      EXPECT_TRUE(at::allclose(gradients[i++], weight.grad(), 1e-4, 1e-4)) << name;
    const at::NoGradGuard no_gradient;
    EXPECT_TRUE(network.forward(input).equal(output));
  }
}

TEST(Networks, ChoicesAreJudgedAsTheFormulasSay) {
  const auto logits = at::randn({5, 4}).requires_grad_(), same = logits.detach().clone().requires_grad_();
  const auto actions = at::tensor(std::vector<std::int64_t>{0, 3, 2, 1, 3});
  const auto a = at::randn({5}), b = at::randn({5});
  const auto judged = models::judge(models::Categorical{logits}, actions);
  (judged.logprobs * a + judged.entropy * b).sum().backward();
  const auto logs = at::log_softmax(same, -1);
  const auto logprobs = logs.gather(1, actions.unsqueeze(1)).squeeze(1), entropy = -(at::exp(logs) * logs).sum(1);
  (logprobs * a + entropy * b).sum().backward();
  EXPECT_TRUE(at::allclose(judged.logprobs, logprobs, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(judged.entropy, entropy, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(logits.grad(), same.grad(), 1e-5, 1e-6));
}

TEST(Networks, DrawsFollowTheirChances) {
  const models::Distribution choices = models::Categorical{at::tensor({0.0F, 1.0F, 2.0F}).expand({1, 3})};
  Random random(4);
  std::vector<int> counts(3);
  for (int i = 0; i < 20000; ++i)
    ++counts[static_cast<std::size_t>(models::draw(choices, random).item<std::int64_t>())];
  const double chances[] = {0.0900, 0.2447, 0.6652};
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(counts[i] / 20000.0, chances[i], 0.01);
}

TEST(Networks, OrthogonalWeightsAreOrthonormalTimesTheirGain) {
  const auto tall = models::orthogonal(7, 3, 1.5, 1), wide = models::orthogonal(3, 7, 1.5, 1);
  EXPECT_TRUE(at::allclose(tall.t().mm(tall),
                           2.25 * at::tensor({1.0F, 0.0F, 0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F, 1.0F}).view({3, 3}), 1e-4,
                           1e-5));
  EXPECT_TRUE(at::allclose(wide.mm(wide.t()),
                           2.25 * at::tensor({1.0F, 0.0F, 0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F, 1.0F}).view({3, 3}), 1e-4,
                           1e-5));
}

TEST(Networks, IndicesAreOneUnitForEachValue) {
  const environments::Spec spec{
      .name = "grid",
      .observation =
          environments::Box{.dtype = environments::Dtype::int64, .shape = {2}, .low = {0, 5}, .high = {2, 6}},
      .action = environments::Discrete{{"a"}}};
  const models::Encoder encode(spec);
  EXPECT_EQ(encode.shape(), std::vector<std::int64_t>{5});
  const auto seen = at::tensor(std::vector<std::int64_t>{2, 5, 0, 6}).view({2, 2});
  EXPECT_TRUE(
      encode(seen).equal(at::tensor({0.0F, 0.0F, 1.0F, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F, 1.0F}).view({2, 5})));
}

TEST(Networks, ConvolutionsReadPicturesAndRefuseOthers) {
  for (const auto architecture :
       {models::Architecture::nature, models::Architecture::impala, models::Architecture::narrow}) {
    const models::NetworkConfig config{.architecture = architecture};
    const auto network = models::make_network(config, {4, 84, 84}, 6, 0.01, 1);
    const auto output = network->forward(at::randn({2, 4, 84, 84}));
    EXPECT_EQ(output.sizes(), (at::IntArrayRef{2, 6}));
    output.sum().backward();
    for (const auto& [name, weight] : network->weights()) EXPECT_TRUE(weight.grad().defined()) << name;
    EXPECT_THROW(models::make_network(config, {4}, 6, 0.01, 1), Error);
  }
  EXPECT_THROW(models::make_network({.architecture = models::Architecture::nature}, {1, 20, 20}, 2, 1, 1), Error);
  EXPECT_THROW(models::make_network({.architecture = models::Architecture::narrow}, {1, 42, 42}, 2, 1, 1), Error);
}

/// Every unit becomes the mean of what it reads.
void take_means(const models::Network& network) {
  for (auto& [name, weight] : network.weights())
    weight.fill_(weight.dim() > 1 ? 1.0 / static_cast<double>(weight[0].numel()) : 0.0);
}

TEST(Networks, NarrowConvolutionsWorkedByHand) {
  const auto network = models::make_network({.architecture = models::Architecture::narrow}, {1, 84, 84}, 1, 1, 1);
  const at::NoGradGuard no_gradient;
  take_means(*network);
  // 84 -> 26 -> 11 -> 9 -> 7 pixels a side: 784 numbers reach the hidden layer.
  EXPECT_EQ(network->weights()[8].second.sizes(), (at::IntArrayRef{64, 784}));
  const auto white = at::ones({1, 1, 84, 84});
  EXPECT_NEAR(network->forward(white).item<float>(), 1.0, 1e-5);  // each layer takes means of a constant
  EXPECT_NEAR(network->forward(-white).item<float>(), -1e-10, 1e-14);  // five activations of slope 0.01
  // Nine pixels that pixel (0, 0) of each map sees and no other pixel of it: 16 of the 784 numbers differ from 0.
  auto corner = at::zeros({1, 1, 84, 84});
  corner[0][0].narrow(0, 0, 3).narrow(1, 0, 3).fill_(1);
  EXPECT_NEAR(network->forward(corner).item<float>() / (9.0 / 49 / 25 / 9 / 9 * 16 / 784), 1.0, 1e-4);
}

TEST(Networks, DroppingLeavesOutOtherUnitsForEachRowAndMakesUpForThem) {
  const auto network = models::make_network({.architecture = models::Architecture::narrow}, {1, 43, 43}, 1, 1, 1);
  const at::NoGradGuard no_gradient;
  take_means(*network);
  const auto outputs = network->forward_dropping(at::ones({500, 1, 43, 43}), 0.5, 1);
  EXPECT_NEAR(outputs.mean().item<float>(), 1.0, 0.05);
  EXPECT_GT(outputs.std().item<float>(), 0.1);
  EXPECT_TRUE(outputs.equal(network->forward_dropping(at::ones({500, 1, 43, 43}), 0.5, 1)));
  EXPECT_FALSE(outputs.equal(network->forward_dropping(at::ones({500, 1, 43, 43}), 0.5, 2)));
}

}  // namespace
}  // namespace rlhf::control
