#include "rlhf/algorithms/target_batch.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <numeric>

#include "reference.h"
#include "rlhf/core/error.h"
#include "tiny.h"

namespace rlhf::algorithms {
namespace {

std::vector<data::Example> examples() {
  return {{.ids = {5, 6, 7, 8}, .mask = {0, 0, 1, 1}}, {.ids = {9, 10}, .mask = {1, 1}}, {.ids = {1, 2, 3, 4, 5}, .mask = {0, 1, 0, 1, 0}}};
}

TEST(TargetBatch, PredictsEachTokenFromTheOneBefore) {
  const auto all = examples();
  const auto batch = pack_targets(all, std::vector<std::int64_t>{0, 1, 2});
  expect_near(batch.rows, at::tensor({1, 2, 4, 6, 8}), 0);     // the first token of example 1 counts, but nothing predicts it
  expect_near(batch.targets, at::tensor({7, 8, 10, 2, 4}), 0);
  EXPECT_EQ(batch.starts, (std::vector<std::int64_t>{0, 2, 3, 5}));
}

TEST(TargetBatch, TakesAndPutsByExample) {
  const auto all = examples();
  const auto batch = pack_targets(all, std::vector<std::int64_t>{2, 0});
  const std::vector<std::int64_t> starts{0, 2, 3, 5};
  expect_near(take_targets(at::tensor({0.f, 1.f, 2.f, 3.f, 4.f}), starts, batch), at::tensor({3.f, 4.f, 0.f, 1.f}), 0);
  Tensor values = at::zeros({5});
  put_targets(values, starts, batch, at::tensor({3.f, 4.f, 1.f, 2.f}));
  expect_near(values, at::tensor({1.f, 2.f, 0.f, 3.f, 4.f}), 0);
}

TEST(TargetBatch, RefusesBatchesInWhichNothingCounts) {
  const std::vector<data::Example> none{{.ids = {1, 2}, .mask = {1, 0}}}, broken{{.ids = {1, 2}, .mask = {1}}};
  EXPECT_THROW(pack_targets(none, std::vector<std::int64_t>{0}), Error);
  EXPECT_THROW(pack_targets(broken, std::vector<std::int64_t>{0}), Error);
}

TEST(ReadOut, PackedEqualsOneByOne) {
  const at::NoGradGuard no_grad;
  const auto model = tiny_model();
  const auto all = examples();
  const auto packed = pack_targets(all, std::vector<std::int64_t>{0, 1, 2});
  const auto together = read_out(*model, packed, {.temperature = 0.7, .entropy = true});
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto alone = read_out(*model, pack_targets(all, std::vector<std::int64_t>{i}), {.temperature = 0.7, .entropy = true});
    expect_near(together.logprobs.slice(0, packed.starts[i], packed.starts[i + 1]), alone.logprobs, 1e-5);
    expect_near(together.entropy.slice(0, packed.starts[i], packed.starts[i + 1]), alone.entropy, 1e-5);
  }
}

}  // namespace
}  // namespace rlhf::algorithms
