#include "rlhf/core/seed.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/core/scratch_folder.h"

namespace rlhf {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The three philox4x32 vectors with 10 rounds of Random123's kat_vectors file.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The first block of key 0 is the first known answer above, in 64-bit pieces.
TEST(Random, IsPhiloxInOrder) {
  Random random(0);
  EXPECT_EQ(random.next(), 0xe169c58d6627e8d5);
  EXPECT_EQ(random.next(), 0x9b00dbd8bc57ac4c);
  EXPECT_EQ(random.position(), 2U);
}

TEST(Random, MomentsOfUniformAndNormal) {
  Random random(derive(1, {2, 3}));
  const int draws = 200000;
  double sum = 0, square = 0, normal_sum = 0, normal_square = 0, normal_fourth = 0;
  for (int i = 0; i < draws; ++i) {
    const double u = random.uniform(), z = random.normal();
    sum += u;
    square += u * u;
    normal_sum += z;
    normal_square += z * z;
    normal_fourth += z * z * z * z;
  }
  // Five standard errors of each mean.
  EXPECT_NEAR(sum / draws, 0.5, 5 * std::sqrt(1.0 / 12 / draws));
  EXPECT_NEAR(square / draws, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / draws));
  EXPECT_NEAR(normal_sum / draws, 0, 5 / std::sqrt(draws));
  EXPECT_NEAR(normal_square / draws, 1, 5 * std::sqrt(2.0 / draws));
  EXPECT_NEAR(normal_fourth / draws, 3, 5 * std::sqrt(96.0 / draws));
}

TEST(Random, BelowIsEven) {
  Random random(7);
  const int cells = 6, draws = 60000;
  std::array<int, cells> counts{};
  for (int i = 0; i < draws; ++i) ++counts[static_cast<std::size_t>(random.below(cells))];
  double chi_square = 0;
  for (const int count : counts) chi_square += std::pow(count - draws / cells, 2) / (draws / cells);
  EXPECT_LT(chi_square, 20.5);  // 5 degrees of freedom, p = 0.001
}

// 2^64 / (3 * 2^61) = 8/3: without rejection every third result would get 2 of 8 draws instead of a third of them.
TEST(Random, BelowIsEvenForHugeRanges) {
  Random random(8);
  int thirds = 0;
  const int draws = 30000;
  for (int i = 0; i < draws; ++i) thirds += random.below(std::int64_t{3} << 61) % 3 == 2;
  EXPECT_NEAR(thirds / static_cast<double>(draws), 1.0 / 3, 5 * std::sqrt(2.0 / 9 / draws));
}

TEST(Random, BelowWantsAPositiveRange) {
  Random random(1);
  EXPECT_NE(std::string(error_of([&] { random.below(0); }).what()).find("n is 0"), std::string::npos);
}

TEST(Random, ShufflesReachEveryOrder) {
  std::array<int, 6> counts{};
  for (std::uint64_t key = 0; key < 6000; ++key) {
    const auto order = Random(key).permutation(3);
    ++counts[static_cast<std::size_t>(order[0] * 2 + (order[1] > order[2]))];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 5 * std::sqrt(1000.0 * 5 / 6));
}

TEST(Derive, OrderAndLengthCount) {
  const std::set<std::uint64_t> keys = {derive(1, {}),     derive(1, {0}),    derive(1, {0, 0}), derive(1, {1, 2}),
                                        derive(1, {2, 1}), derive(2, {1, 2}), derive(0, {}),     derive(1, {1})};
  EXPECT_EQ(keys.size(), 8U);
}

TEST(Derive, NeighboursDoNotCollide) {
  std::set<std::uint64_t> keys;
  for (std::uint64_t prompt = 0; prompt < 100; ++prompt) {
    for (std::uint64_t sample = 0; sample < 100; ++sample) keys.insert(derive(42, {prompt, sample}));
  }
  EXPECT_EQ(keys.size(), 10000U);
}

// These values are promised for ever: runs of older releases depend on them.
TEST(Derive, ValuesStay) {
  EXPECT_EQ(hash(""), hash(std::string_view{}));
  EXPECT_NE(hash("a"), hash("b"));
  EXPECT_EQ(derive(42, {1, 2, 3}), 14469389327941056825U);
  EXPECT_EQ(hash("policy"), 7412400699293307130U);
}

RC_GTEST_PROP(RandomProperty, ResumesAnywhere, (std::uint64_t key, std::uint64_t skip)) {
  const auto steps = skip % 50;
  Random whole(key);
  for (std::uint64_t i = 0; i < steps; ++i) whole.next();
  Random resumed(key, whole.position());
  for (int i = 0; i < 5; ++i) RC_ASSERT(whole.next() == resumed.next());
}

RC_GTEST_PROP(RandomProperty, UniformStaysOpen, (std::uint64_t key, std::uint64_t counter)) {
  const double u = uniform_at(key, counter);
  RC_ASSERT(u > 0 && u < 1);
  RC_ASSERT(u == uniform_at(key, counter));
}

RC_GTEST_PROP(RandomProperty, BelowStaysInside, (std::uint64_t key, std::int64_t bound)) {
  const auto n = (bound & 0x7fffffffffffffff) | 1;
  const auto draw = Random(key).below(n);
  RC_ASSERT(draw >= 0 && draw < n);
}

RC_GTEST_PROP(RandomProperty, ShuffleKeepsItems, (std::uint64_t key, std::vector<int> items)) {
  auto shuffled = items;
  Random(key).shuffle(shuffled);
  std::sort(items.begin(), items.end());
  std::sort(shuffled.begin(), shuffled.end());
  RC_ASSERT(items == shuffled);
}

}  // namespace
}  // namespace rlhf
