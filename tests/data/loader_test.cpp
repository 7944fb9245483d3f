#include "rlhf/data/loader.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/core/scratch_folder.h"

namespace rlhf::data {
namespace {

TEST(PackRows, WorkedByHand) {
  // Longest first: 5 opens a bin, 4 another, 3 joins the 5, 2 joins the 4, 2 joins the 4 again.
  const std::vector<std::int64_t> lengths = {2, 5, 2, 4, 3};
  EXPECT_EQ(pack_rows(lengths, 8), (std::vector<std::vector<std::int64_t>>{{0, 2, 3}, {1, 4}}));
}

TEST(PackRows, ARowOverTheBudgetIsNamed) {
  const std::vector<std::int64_t> lengths = {2, 9};
  EXPECT_EQ(error_of([&] { pack_rows(lengths, 8); }).what(),
            std::string("row 1: it has 9 tokens, more than the 8 of a micro-batch. Raise micro_tokens, or lower "
                        "max_tokens so that the row is dropped."));
}

RC_GTEST_PROP(PackRows, EachRowOnceAndNoBinOverTheBudget, ()) {
  const auto lengths = *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(1, 50));
  const auto budget = *rc::gen::inRange<std::int64_t>(50, 200);
  std::vector<std::int64_t> seen;
  for (const auto& bin : pack_rows(lengths, budget)) {
    std::int64_t tokens = 0;
    for (const auto row : bin) tokens += lengths[static_cast<std::size_t>(row)];
    RC_ASSERT(!bin.empty() && tokens <= budget);
    seen.insert(seen.end(), bin.begin(), bin.end());
  }
  std::sort(seen.begin(), seen.end());
  std::vector<std::int64_t> all(lengths.size());
  std::iota(all.begin(), all.end(), 0);
  RC_ASSERT(seen == all);
}

std::vector<std::int64_t> epoch_rows(Loader& loader) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < loader.steps_per_epoch(); ++i) {
    const auto step = loader.next();
    rows.insert(rows.end(), step.rows.begin(), step.rows.end());
    std::vector<std::int64_t> packed;
    for (const auto& bin : step.micro_batches) packed.insert(packed.end(), bin.begin(), bin.end());
    EXPECT_TRUE(std::is_permutation(packed.begin(), packed.end(), step.rows.begin(), step.rows.end()));
  }
  return rows;
}

std::vector<std::int64_t> some_lengths() {
  std::vector<std::int64_t> lengths;
  for (int i = 0; i < 23; ++i) lengths.push_back(1 + i * 7 % 11);
  return lengths;
}

TEST(Loader, EachEpochHasEachRowOnceInANewOrder) {
  Loader loader(some_lengths(), {.batch = 5, .micro_tokens = 16, .seed = 3});
  EXPECT_EQ(loader.steps_per_epoch(), 5);
  const auto first = epoch_rows(loader), second = epoch_rows(loader);
  EXPECT_NE(first, second);
  auto sorted = second;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 23; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
  Loader again(some_lengths(), {.batch = 5, .micro_tokens = 16, .seed = 3}),
      other(some_lengths(), {.batch = 5, .micro_tokens = 16, .seed = 4});
  EXPECT_EQ(epoch_rows(again), first);
  EXPECT_NE(epoch_rows(other), first);
}

TEST(Loader, WithoutShuffleItIsTheFilesOrder) {
  Loader loader(some_lengths(), {.batch = 4, .micro_tokens = 0, .shuffle = false});
  const auto rows = epoch_rows(loader);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
}

TEST(Loader, ACursorRestoresEveryLaterStep) {
  const LoaderConfig config{.batch = 4, .micro_tokens = 20, .seed = 9};
  for (int steps = 0; steps < 14; ++steps) {
    Loader whole(some_lengths(), config), resumed(some_lengths(), config);
    for (int i = 0; i < steps; ++i) whole.next();
    resumed.restore(nlohmann::json::parse(whole.cursor().dump()));
    for (int i = 0; i < 8; ++i) {
      const auto one = whole.next(), other = resumed.next();
      EXPECT_EQ(one.epoch, other.epoch);
      EXPECT_EQ(one.micro_batches, other.micro_batches);
    }
  }
}

TEST(Loader, ACursorOfOtherDataIsRefused) {
  Loader loader(some_lengths(), {.batch = 4}), other({1, 2, 3}, {.batch = 4});
  EXPECT_EQ(error_of([&] { other.restore(loader.cursor()); }).category(), Category::check);
  EXPECT_EQ(error_of([&] { other.restore("nonsense"); }).category(), Category::check);
}

TEST(Loader, SettingsAndDataAreChecked) {
  EXPECT_EQ(error_of([] { Loader({}, {}); }).problem(), "there is no row to load");
  EXPECT_EQ(error_of([] { Loader({1}, {.batch = 0}); }).where(), "batch");
  EXPECT_EQ(error_of([] { Loader({1, 99}, {.batch = 1, .micro_tokens = 10}); }).where(), "row 1");
}

}  // namespace
}  // namespace rlhf::data
