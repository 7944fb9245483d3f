#include "rlhf/generation/decode_slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rlhf::generation {
namespace {

/// Two tokens' worth of keys that say which prompt and which later token they belong to.
void write(models::KvCache& cache, std::int64_t slot, std::vector<float> values) {
  cache.select({slot});
  for (const float value : values) {
    cache.keys(0)[slot][cache.length(slot)].fill_(value);
    cache.values(0)[slot][cache.length(slot)].fill_(value);
    cache.advance({0, 1});
  }
}

float key_at(models::KvCache& cache, std::int64_t slot, std::int64_t position) {
  return cache.keys(0)[slot][position][0][0].item<float>();
}

std::vector<std::size_t> sequences(const DecodeSlots& slots) {
  std::vector<std::size_t> found;
  for (const auto& running : slots.running()) found.push_back(running.sequence);
  return found;
}

using testing::ElementsAre;

TEST(DecodeSlots, MembersOfAGroupTakeThePromptFromOneAnother) {
  models::KvCache cache(1, 2, 8, 1, 4);
  DecodeSlots slots(cache);
  const auto home = slots.take();
  write(cache, home, {1, 2});
  slots.begin_group(0, home, {10, 11, 12, 13});
  EXPECT_THAT(sequences(slots), ElementsAre(10, 11));
  EXPECT_FALSE(slots.any_free());
  for (const auto& running : slots.running()) write(cache, running.slot, {9});

  slots.end({10});  // 12 moves into its slot, cut back to the prompt
  EXPECT_THAT(sequences(slots), ElementsAre(11, 12));
  EXPECT_EQ(cache.length(slots.running()[1].slot), 2);
  EXPECT_EQ(key_at(cache, slots.running()[1].slot, 1), 2);

  slots.end({11, 12});
  EXPECT_THAT(sequences(slots), ElementsAre(13));
  EXPECT_EQ(cache.length(slots.running()[0].slot), 2);
  EXPECT_TRUE(slots.any_free());
  slots.end({13});
  EXPECT_TRUE(slots.running().empty());
}

TEST(DecodeSlots, AnotherGroupsSlotIsFilledWithACopyOfThePrompt) {
  models::KvCache cache(1, 2, 8, 1, 4);
  DecodeSlots slots(cache);
  const auto first = slots.take(), second = slots.take();
  write(cache, first, {1, 2, 3});
  write(cache, second, {5});
  slots.begin_group(0, first, {0});
  slots.begin_group(1, second, {1, 2});
  EXPECT_THAT(sequences(slots), ElementsAre(0, 1));
  write(cache, second, {7});  // sequence 1 has moved on
  slots.end({0});
  EXPECT_THAT(sequences(slots), ElementsAre(1, 2));
  EXPECT_EQ(slots.running()[1].slot, first);
  EXPECT_EQ(cache.length(first), 1);
  EXPECT_EQ(key_at(cache, first, 0), 5);
}

TEST(DecodeSlots, AMemberThatWaitsCanEndToo) {
  models::KvCache cache(1, 1, 8, 1, 4);
  DecodeSlots slots(cache);
  const auto home = slots.take();
  write(cache, home, {1, 2});
  slots.begin_group(0, home, {10, 11, 12});
  slots.end({11});
  EXPECT_THAT(sequences(slots), ElementsAre(10));
  slots.end({10, 12});  // 12 moves in and ends at once
  EXPECT_TRUE(slots.running().empty());
  EXPECT_TRUE(slots.any_free());
}

TEST(DecodeSlots, AGroupThatEndedInThePrefillGivesItsSlotBack) {
  models::KvCache cache(1, 1, 8, 1, 4);
  DecodeSlots slots(cache);
  const auto slot = slots.take();
  EXPECT_FALSE(slots.any_free());
  write(cache, slot, {1});
  slots.begin_group(0, slot, {});
  EXPECT_TRUE(slots.any_free());
  EXPECT_EQ(cache.length(slots.take()), 0);
}

}  // namespace
}  // namespace rlhf::generation
