#include "rlhf/generation/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::generation {
namespace {

constexpr float none = -std::numeric_limits<float>::infinity();

Draw draw_one(const std::vector<float>& logits, const SamplingConfig& config, std::uint64_t key, std::uint64_t index = 0,
              std::span<const TokenId> seen = {}) {
  const DrawKey one{.row = 0, .key = key, .index = index, .config = &config, .seen = seen};
  return draw_tokens(logits.data(), static_cast<std::int64_t>(logits.size()), {&one, 1}).front();
}

std::vector<double> distribution_of(const std::vector<float>& logits, std::span<const TokenId> seen, const SamplingConfig& config) {
  return sampled_distribution(logits, {.config = &config, .seen = seen});
}

/// `size` logits that look like a model's: a few large ones, a long tail.
std::vector<float> peaked_logits(std::size_t size, std::uint64_t seed, double scale = 3) {
  Random random(seed);
  std::vector<float> logits(size);
  for (auto& logit : logits) logit = static_cast<float>(random.normal() * scale);
  return logits;
}

SamplingConfig from_json(const nlohmann::json& values) {
  SamplingConfig config;
  config.temperature = values.value("temperature", 1.0);
  config.top_k = values.value("top_k", 0);
  config.top_p = values.value("top_p", 1.0);
  config.min_p = values.value("min_p", 0.0);
  config.repetition_penalty = values.value("repetition_penalty", 1.0);
  return config;
}

TEST(Sampler, LogprobsByHand) {
  // Probabilities 1/2, 1/4, 1/4.
  const std::vector<float> logits{float(std::log(2.0)), 0, 0};
  const auto greedy = draw_one(logits, {.greedy = true}, 1);
  EXPECT_EQ(greedy.token, 0);
  EXPECT_NEAR(greedy.raw_logprob, std::log(0.5), 1e-6);
  EXPECT_EQ(greedy.sampled_logprob, 0);  // nothing else could have been drawn

  // Temperature 1/2 squares the probabilities: 4/6, 1/6, 1/6. Raw logprobs stay.
  for (std::uint64_t key = 0; key < 50; ++key) {
    const auto draw = draw_one(logits, {.temperature = 0.5}, key);
    EXPECT_NEAR(draw.raw_logprob, draw.token == 0 ? std::log(0.5) : std::log(0.25), 1e-6);
    EXPECT_NEAR(draw.sampled_logprob, draw.token == 0 ? std::log(4.0 / 6) : std::log(1.0 / 6), 1e-6);
  }
}

TEST(Sampler, FiltersByHand) {
  // Probabilities 0.5, 0.3, 0.15, 0.05.
  std::vector<float> logits;
  for (const double p : {0.5, 0.3, 0.15, 0.05}) logits.push_back(static_cast<float>(std::log(p)));
  const auto distribution = [&](const SamplingConfig& config) {
    std::vector<double> probabilities;
    for (const double logprob : distribution_of(logits, {}, config)) probabilities.push_back(std::exp(logprob));
    return probabilities;
  };
  using testing::DoubleNear, testing::ElementsAre;
  EXPECT_THAT(distribution({.top_k = 2}), ElementsAre(DoubleNear(0.625, 1e-6), DoubleNear(0.375, 1e-6), 0, 0));
  // 0.5 is not 0.7 yet, 0.8 is: two tokens.
  EXPECT_THAT(distribution({.top_p = 0.7}), ElementsAre(DoubleNear(0.625, 1e-6), DoubleNear(0.375, 1e-6), 0, 0));
  EXPECT_THAT(distribution({.top_p = 0.4}), ElementsAre(1, 0, 0, 0));
  // The edge is 0.2 * 0.5 = 0.1.
  EXPECT_THAT(distribution({.min_p = 0.2}),
              ElementsAre(DoubleNear(0.5 / 0.95, 1e-6), DoubleNear(0.3 / 0.95, 1e-6), DoubleNear(0.15 / 0.95, 1e-6), 0));
}

TEST(Sampler, RepetitionPenaltyDividesPositiveAndMultipliesNegativeLogits) {
  const std::vector<float> logits{2, -2, 1};
  const std::vector<TokenId> seen{0, 1, 0, 0};  // several times counts once
  const auto scores = distribution_of(logits, seen, {.repetition_penalty = 2});
  const double sum = std::exp(1) + std::exp(-4) + std::exp(1);
  EXPECT_NEAR(scores[0], 1 - std::log(sum), 1e-9);
  EXPECT_NEAR(scores[1], -4 - std::log(sum), 1e-9);
  EXPECT_NEAR(scores[2], 1 - std::log(sum), 1e-9);
  const auto draw = draw_one(logits, {.greedy = true, .repetition_penalty = 3}, 0, 0, seen);
  EXPECT_EQ(draw.token, 2);
  EXPECT_NEAR(draw.raw_logprob, 1 - std::log(std::exp(2) + std::exp(-2) + std::exp(1)), 1e-6);
}

TEST(Sampler, PresenceFrequencyAndBiasByHand) {
  const std::vector<float> logits{2, 1, 0, 1};
  const SamplingConfig config{.presence_penalty = 0.5, .frequency_penalty = 0.25, .logit_bias = {{2, 3.0f}, {3, -100.0f}}};
  const std::vector<TokenId> seen{1, 0, 0};  // the first is the prompt's
  const DrawKey key{.config = &config, .seen = seen, .prompt = 1};
  // 2 - 0.5 - 2 * 0.25 = 1, 1, 0 + 3 = 3, 1 - 100.
  const double sum = std::exp(1) + std::exp(1) + std::exp(3);
  const auto logprobs = sampled_distribution(logits, key);
  EXPECT_NEAR(logprobs[0], 1 - std::log(sum), 1e-6);
  EXPECT_NEAR(logprobs[1], 1 - std::log(sum), 1e-6);
  EXPECT_NEAR(logprobs[2], 3 - std::log(sum), 1e-6);
  EXPECT_LT(logprobs[3], -100);
  for (std::uint64_t index = 0; index < 200; ++index) {
    auto one = key;
    one.index = index;
    const auto draw = draw_tokens(logits.data(), 4, {&one, 1}).front();
    ASSERT_NEAR(draw.sampled_logprob, logprobs[draw.token], 1e-5);
  }
}

TEST(Sampler, OnlyAllowedTokensAreDrawnAndTheRestIsRenormalised) {
  const auto logits = peaked_logits(1000, 5);
  TokenSet allowed(1000);
  for (const TokenId id : {3, 300, 999}) allowed.add(id);
  double sum = 0;
  for (const TokenId id : {3, 300, 999}) sum += std::exp(double(logits[id]));
  std::set<TokenId> drawn;
  for (const auto& config : {SamplingConfig{}, SamplingConfig{.top_p = 0.999}}) {
    for (std::uint64_t index = 0; index < 500; ++index) {
      const DrawKey key{.key = 1, .index = index, .config = &config, .allowed = &allowed};
      const auto draw = draw_tokens(logits.data(), 1000, {&key, 1}).front();
      ASSERT_TRUE(allowed.contains(draw.token));
      ASSERT_NEAR(draw.sampled_logprob, logits[draw.token] - std::log(sum), 1e-2);
      drawn.insert(draw.token);
    }
  }
  EXPECT_EQ(drawn.size(), 3u);
}

TEST(Sampler, DistributionsOfTransformers) {
  std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/generation/distributions.json");
  for (const auto& row : nlohmann::json::parse(file)) {
    const auto logits = row["logits"].get<std::vector<float>>();
    const auto seen = row["seen"].get<TokenIds>();
    for (const auto& expected : row["cases"]) {
      SCOPED_TRACE(expected["config"].dump());
      const auto config = from_json(expected["config"]);
      const auto logprobs = distribution_of(logits, seen, config);
      EXPECT_EQ(std::count_if(logprobs.begin(), logprobs.end(), [](double v) { return std::isfinite(v); }), expected["kept"]);
      for (const auto& [id, logprob] : expected["logprobs"].items()) {
        EXPECT_NEAR(logprobs[std::stoul(id)], logprob.get<double>(), 2e-6) << "token " << id;
      }
    }
  }
}

TEST(Sampler, FastDrawsFollowThePlainDistribution) {
  std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/generation/distributions.json");
  for (const auto& row : nlohmann::json::parse(file)) {
    const auto logits = row["logits"].get<std::vector<float>>();
    const auto seen = row["seen"].get<TokenIds>();
    for (const auto& expected : row["cases"]) {
      SCOPED_TRACE(expected["config"].dump());
      const auto config = from_json(expected["config"]);
      const auto logprobs = distribution_of(logits, seen, config);
      std::vector<DrawKey> keys;
      for (std::uint64_t index = 0; index < 500; ++index) keys.push_back({.row = 0, .key = 7, .index = index, .config = &config, .seen = seen});
      for (std::size_t i = 0; const auto& draw : draw_tokens(logits.data(), std::ssize(logits), keys)) {
        ASSERT_NEAR(draw.sampled_logprob, logprobs[draw.token], 3e-6) << "token " << draw.token;
        // Inverse of the cumulative distribution by rising id: which token a uniform number means is exact.
        double below = 0;
        for (TokenId id = 0; id < draw.token; ++id) below += std::exp(logprobs[id]);
        const double uniform = uniform_at(7, i++);
        ASSERT_GT(uniform, below - 1e-5);
        ASSERT_LT(uniform, below + std::exp(logprobs[draw.token]) + 1e-5);
      }
    }
  }
}

TEST(Sampler, FrequenciesMatchProbabilities) {
  const auto logits = peaked_logits(12, 3, 1);
  for (const auto& config : {SamplingConfig{}, SamplingConfig{.temperature = 0.8, .top_p = 0.9}, SamplingConfig{.top_k = 4}}) {
    const auto logprobs = distribution_of(logits, {}, config);
    constexpr int draws = 20000;
    std::vector<int> counts(logits.size());
    for (int i = 0; i < draws; ++i) ++counts[draw_one(logits, config, derive(11, {std::uint64_t(i)})).token];
    double chi_square = 0;
    for (std::size_t id = 0; id < logits.size(); ++id) {
      const double expected = draws * std::exp(logprobs[id]);
      if (expected == 0) {
        EXPECT_EQ(counts[id], 0);
      } else {
        chi_square += (counts[id] - expected) * (counts[id] - expected) / expected;
      }
    }
    EXPECT_LT(chi_square, 31.26);  // 99.9% point for 11 degrees of freedom; generous for fewer
  }
}

TEST(Sampler, ADrawDoesNotDependOnItsPlaceInTheBatch) {
  constexpr std::int64_t vocabulary = 1000;
  std::vector<float> logits;
  for (std::uint64_t row = 0; row < 6; ++row) {
    const auto more = peaked_logits(vocabulary, row);
    logits.insert(logits.end(), more.begin(), more.end());
  }
  std::vector<DrawKey> keys;
  const SamplingConfig config{.temperature = 0.9, .top_p = 0.95};
  for (const std::int64_t row : {5, 2, 2, 0}) keys.push_back({.row = row, .key = std::uint64_t(row) + 40, .index = 3, .config = &config});
  const auto together = draw_tokens(logits.data(), vocabulary, keys);
  EXPECT_EQ(together[1].token, together[2].token);  // the same key: the same draw
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto alone = draw_tokens(logits.data(), vocabulary, {&keys[i], 1}).front();
    EXPECT_EQ(alone.token, together[i].token);
    EXPECT_EQ(alone.raw_logprob, together[i].raw_logprob);
    EXPECT_EQ(alone.sampled_logprob, together[i].sampled_logprob);
  }
}

TEST(Sampler, LargeVocabularyLogprobsAreExactToAMillionth) {
  const auto logits = peaked_logits(49152, 9);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double(logit));
  for (std::uint64_t key = 0; key < 20; ++key) {
    const auto draw = draw_one(logits, {}, key);
    EXPECT_NEAR(draw.raw_logprob, logits[draw.token] - std::log(sum), 2e-6);
    EXPECT_EQ(draw.sampled_logprob, draw.raw_logprob);
  }
}

TEST(Sampler, TokensOfProbabilityZeroAreNeverDrawn) {
  std::vector<float> logits(600, none);
  logits[3] = 1;
  logits[400] = 1;
  logits[599] = -3e38f;  // finite, and still nothing
  for (const auto& config : {SamplingConfig{}, SamplingConfig{.top_p = 0.99}, SamplingConfig{.top_k = 500}}) {
    for (std::uint64_t key = 0; key < 200; ++key) {
      const auto draw = draw_one(logits, config, key);
      ASSERT_THAT(draw.token, testing::AnyOf(3, 400));
      ASSERT_NEAR(draw.raw_logprob, std::log(0.5), 1e-6);
      ASSERT_NEAR(draw.sampled_logprob, std::log(0.5), 1e-6);
    }
  }
}

TEST(Sampler, GreedyTakesTheFirstOfEqualLogits) {
  std::vector<float> logits(1000, -1);
  logits[700] = logits[300] = 2;
  EXPECT_EQ(draw_one(logits, {.greedy = true}, 0).token, 300);
}

TEST(Sampler, DamagedLogitsAreAnError) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto logits = peaked_logits(600, 1);
    logits[577] = bad;
    EXPECT_THROW(draw_one(logits, {}, 0), Error);
  }
  EXPECT_THROW(draw_one(std::vector<float>(600, none), {}, 0), Error);
}

TEST(SamplingConfig, SaysWhichFieldIsWrong) {
  EXPECT_NO_THROW(SamplingConfig{}.validate());
  const auto where = [](const SamplingConfig& config) {
    try {
      config.validate();
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::usage);
      return error.where();
    }
    return std::string("nothing");
  };
  EXPECT_EQ(where({.temperature = 0}), "temperature");
  EXPECT_EQ(where({.top_p = 0}), "top_p");
  EXPECT_EQ(where({.min_p = 1.5}), "min_p");
  EXPECT_EQ(where({.repetition_penalty = 0}), "repetition_penalty");
  EXPECT_EQ(where({.top_k = -1}), "top_k");
  EXPECT_EQ(where({.max_new_tokens = 0}), "max_new_tokens");
  EXPECT_EQ(where({.num = 0}), "num");
  EXPECT_EQ(where({.stop = {""}}), "stop");
}

}  // namespace
}  // namespace rlhf::generation
