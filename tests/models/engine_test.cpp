#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.h"
#include "rlhf/models/kv_cache.h"
#include "rlhf/models/lora.h"
#include "rlhf/models/token_logprobs.h"
#include "tests/models/tiny_model.h"

namespace rlhf::models {
namespace {

const std::vector<TokenIds> sequences = {{1, 5, 9, 33, 2, 7}, {60, 3}, {4, 4, 8, 15, 16, 23, 42, 11, 0}};

struct Family {
  std::string name;
  nlohmann::json extra;
};

class EveryFamily : public testing::TestWithParam<Family> {
 protected:
  std::unique_ptr<LanguageModel> model_ = tiny_model(tiny_config(GetParam().name, GetParam().extra));
};

double distance(const Tensor& left, const Tensor& right) { return (left - right).abs().max().item<double>(); }

TEST_P(EveryFamily, PackedEqualsOneByOne) {
  const auto together = model_->forward(pack(sequences));
  std::int64_t begin = 0;
  for (const auto& sequence : sequences) {
    const auto alone = model_->forward(pack({&sequence, 1}));
    EXPECT_LT(distance(together.slice(0, begin, begin + alone.size(0)), alone), 2e-5);
    begin += alone.size(0);
  }
}

TEST_P(EveryFamily, CachedEqualsFull) {
  const auto& sequence = sequences[2];
  const auto full = model_->forward(pack({&sequence, 1}));
  const auto& shape = model_->shape();
  KvCache cache(shape.layers, 3, 16, shape.kv_heads, shape.head_dim);
  // The prompt in one go, two tokens at once behind it, then one by one; in a slot that held something else before.
  const auto feed = [&](std::int64_t from, std::int64_t to) {
    cache.select({1});
    const TokenIds part(sequence.begin() + from, sequence.begin() + to);
    auto batch = pack({&part, 1});
    batch.positions.add_(from);
    return model_->forward(batch, {.cache = &cache});
  };
  feed(0, 5);
  cache.clear(1);
  std::vector<Tensor> pieces{feed(0, 4), feed(4, 6)};
  for (std::int64_t t = 6; t < static_cast<std::int64_t>(sequence.size()); ++t) pieces.push_back(feed(t, t + 1));
  EXPECT_LT(distance(at::cat(pieces), full), 2e-5);
  EXPECT_EQ(cache.length(1), 9);
}

TEST_P(EveryFamily, GradientsAgreeWithFiniteDifferences) {
  const auto batch = pack(sequences);
  auto weights = model_->weights();
  const auto loss_of = [&] { return model_->forward(batch).sin().sum(); };
  for (auto& [name, linear] : model_->linears()) linear->weight.requires_grad_(true);
  loss_of().backward();
  for (auto& [name, linear] : model_->linears()) {
    const auto gradient = linear->weight.grad();
    at::NoGradGuard frozen;
    const auto direction = at::randn_like(linear->weight);
    const double step = 1e-3;
    linear->weight.add_(direction, step);
    const double up = loss_of().to(at::kDouble).item<double>();
    linear->weight.add_(direction, -2 * step);
    const double down = loss_of().to(at::kDouble).item<double>();
    linear->weight.add_(direction, step);
    const double expected = (up - down) / (2 * step), found = (gradient * direction).sum().item<double>();
    EXPECT_NEAR(found, expected, 0.02 * std::abs(expected) + 0.05) << name;
  }
}

TEST_P(EveryFamily, RecomputedActivationsGiveTheSameGradients) {
  const auto batch = pack(sequences);
  std::vector<Tensor> gradients;
  for (const bool checkpoint : {false, true}) {
    auto model = tiny_model(tiny_config(GetParam().name, GetParam().extra));
    for (auto& [name, linear] : model->linears()) linear->weight.requires_grad_(true);
    model->forward(batch, {.checkpoint = checkpoint}).sin().sum().backward();
    for (auto& [name, linear] : model->linears()) gradients.push_back(linear->weight.grad());
  }
  for (std::size_t i = 0; i < gradients.size() / 2; ++i) {
    EXPECT_TRUE(at::equal(gradients[i], gradients[i + gradients.size() / 2])) << i;
  }
}

TEST_P(EveryFamily, AFreshAdapterChangesNothingAndAMergedOneChangesTheSame) {
  const auto batch = pack(sequences);
  at::NoGradGuard frozen;
  const auto before = model_->forward(batch);
  const bool gpt2 = GetParam().name == "gpt2";
  LoraConfig config{.r = 4, .alpha = 8};
  if (gpt2) config.target_modules = {"c_attn", "c_fc"};
  EXPECT_EQ(attach_lora(*model_, config, 7), gpt2 ? 4 : 14);
  EXPECT_TRUE(at::equal(model_->forward(batch), before));  // B is zero: equal to the bit
  EXPECT_THROW(merge_lora(*tiny_model(tiny_config(GetParam().name, GetParam().extra))), Error);
  for (auto& [name, parameter] : lora_parameters(*model_)) parameter.add_(at::randn_like(parameter), 0.1);
  const auto adapted = model_->forward(batch);
  EXPECT_GT(distance(adapted, before), 1e-2);
  EXPECT_TRUE(at::equal(model_->forward(batch, {.adapters = false}), before));
  EXPECT_GT(merge_lora(*model_), 0);
  EXPECT_LT(distance(model_->forward(batch), adapted), 5e-5);
}

INSTANTIATE_TEST_SUITE_P(
    Families, EveryFamily,
    testing::Values(Family{"llama", nlohmann::json::object()}, Family{"llama", nlohmann::json{{"tie_word_embeddings", false}}},
                    Family{"mistral", nlohmann::json{{"sliding_window", 3}}}, Family{"qwen2", nlohmann::json::object()}, Family{"qwen3", nlohmann::json{{"head_dim", 8}}},
                    Family{"gpt2", nlohmann::json::object()}),
    [](const auto& each) { return each.param.name + std::to_string(each.index); });

TEST(TokenLogprobs, EqualsLogSoftmaxWithItsGradients) {
  for (const bool train_head : {false, true}) {
    for (const double temperature : {1.0, 0.7}) {
      const auto hidden = at::randn({7, 16}).requires_grad_(true), weight = at::randn({40, 16}).requires_grad_(train_head);
      const auto targets = at::randint(0, 40, {7}), upstream = at::randn({7});
      const auto out = token_logprobs(hidden, weight, targets, {.temperature = temperature, .entropy = true, .chunk = 3});
      (out.logprobs * upstream).sum().backward();
      const auto hidden_gradient = hidden.grad().clone(), weight_gradient = train_head ? weight.grad().clone() : Tensor();
      hidden.mutable_grad().reset();
      weight.mutable_grad().reset();

      const auto all = at::log_softmax(at::linear(hidden, weight) / temperature, 1);
      const auto expected = all.gather(1, targets.unsqueeze(1)).squeeze(1);
      (expected * upstream).sum().backward();
      EXPECT_LT(distance(out.logprobs, expected), 2e-5);
      EXPECT_LT(distance(out.entropy, -(all * all.exp()).sum(1)), 2e-5);
      EXPECT_LT(distance(hidden_gradient, hidden.grad()), 5e-5);
      if (train_head) EXPECT_LT(distance(weight_gradient, weight.grad()), 5e-5);
    }
  }
}

TEST(TokenLogprobs, AnnouncedSumHasTheSameGradients) {
  const auto start = at::randn({7, 16}), head = at::randn({40, 16}), targets = at::randint(0, 40, {7});
  const auto gradients = [&](bool sum_only) {
    const auto hidden = start.clone().requires_grad_(true), weight = head.clone().requires_grad_(true);
    const auto out = token_logprobs(hidden, weight, targets, {.temperature = 0.7, .sum_only = sum_only, .chunk = 3});
    (out.logprobs.sum() * -0.25).backward();
    return std::pair{hidden.grad(), weight.grad()};
  };
  const auto [hidden, weight] = gradients(true);
  const auto [expected_hidden, expected_weight] = gradients(false);
  EXPECT_LT(distance(hidden, expected_hidden), 1e-6);
  EXPECT_LT(distance(weight, expected_weight), 1e-6);
}

TEST(TokenLogprobs, SumThatIsWeighedIsAnError) {
  const auto hidden = at::randn({3, 16}), weight = at::randn({40, 16}).requires_grad_(true);
  const auto out = token_logprobs(hidden, weight, at::randint(0, 40, {3}), {.sum_only = true});
  EXPECT_THROW((out.logprobs * at::tensor({1.f, 2.f, 3.f})).sum().backward(), Error);
}

TEST(TokenLogprobs, LikeliestIsTheGreedyChoice) {
  const auto hidden = at::randn({50, 16}), weight = at::randn({4, 16}), targets = at::randint(0, 4, {50});
  const auto out = token_logprobs(hidden, weight, targets);
  EXPECT_TRUE(at::equal(out.likeliest, at::linear(hidden, weight).argmax(1).eq(targets)));
}

TEST(TokenLogprobs, ShapesThatDoNotFitAreNamed) {
  EXPECT_THROW(token_logprobs(at::randn({3, 8}), at::randn({10, 4}), at::zeros({3}, at::kLong)), Error);
}

TEST(Pack, EmptySequencesAreRefused) {
  const std::vector<TokenIds> none, holed = {{1}, {}};
  EXPECT_THROW(pack(none), Error);
  EXPECT_THROW(pack(holed), Error);
}

TEST(KvCache, AForkContinuesAsItsOriginal) {
  const auto model = tiny_model(tiny_config("llama"));
  KvCache cache(2, 2, 8, 2, 8);
  const TokenIds prompt{3, 1, 4}, next{15};
  cache.select({0});
  model->forward(pack({&prompt, 1}), {.cache = &cache});
  cache.fork(0, 1);
  const std::vector<TokenIds> both{next, next};
  auto batch = pack(both);
  batch.positions.fill_(3);
  cache.select({0, 1});
  const auto hidden = model->forward(batch, {.cache = &cache});
  EXPECT_TRUE(at::equal(hidden[0], hidden[1]));
}

}  // namespace
}  // namespace rlhf::models
