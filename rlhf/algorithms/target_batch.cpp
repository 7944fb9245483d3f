#include "rlhf/algorithms/target_batch.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <string>

#include "rlhf/core/error.h"
#include "rlhf/models/token_logprobs.h"

namespace rlhf::algorithms {
namespace {

Tensor to_tensor(std::vector<std::int64_t>& values) {
  return at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kLong).clone();
}

void require_whole(const data::Example& example, std::int64_t item) {
  if (example.ids.size() == example.mask.size()) return;
  throw Error({.category = Category::bad_data,
               .where = "example " + std::to_string(item),
               .what = std::to_string(example.ids.size()) + " tokens but a mask of " + std::to_string(example.mask.size()),
               .fix = "Make the mask as long as the ids."});
}

// Runs `copy(from, to, count)` for every example of the batch: its place among all targets, and among the batch's own.
template <class Copy>
void for_each_item(std::span<const std::int64_t> starts, const TargetBatch& batch, Copy copy) {
  for (std::size_t i = 0; i < batch.items.size(); ++i)
    copy(starts[batch.items[i]], batch.starts[i], batch.starts[i + 1] - batch.starts[i]);
}

}  // namespace

TargetBatch pack_targets(std::span<const data::Example> examples, std::span<const std::int64_t> items) {
  TargetBatch result;
  result.items.assign(items.begin(), items.end());
  result.starts.push_back(0);
  std::vector<TokenIds> sequences;
  std::vector<std::int64_t> rows, targets;
  std::int64_t begin = 0;
  for (const std::int64_t item : items) {
    const data::Example& example = examples[item];
    require_whole(example, item);
    for (std::size_t i = 1; i < example.ids.size(); ++i) {
      if (!example.mask[i]) continue;
      rows.push_back(begin + static_cast<std::int64_t>(i) - 1);
      targets.push_back(example.ids[i]);
    }
    begin += static_cast<std::int64_t>(example.ids.size());
    sequences.push_back(example.ids);
    result.starts.push_back(static_cast<std::int64_t>(rows.size()));
  }
  if (rows.empty())
    throw Error({.category = Category::bad_data,
                 .where = "batch of " + std::to_string(items.size()) + " examples",
                 .what = "no token counts: every mask is 0, or covers first tokens only",
                 .fix = "Drop such examples; look at the masks with `rlhf inspect data`."});
  result.batch = models::pack(sequences);
  result.rows = to_tensor(rows);
  result.targets = to_tensor(targets);
  return result;
}

Tensor take_targets(const Tensor& values, std::span<const std::int64_t> starts, const TargetBatch& batch) {
  Tensor result = at::empty({batch.size()}, at::kFloat);
  const float* from = values.const_data_ptr<float>();
  float* to = result.mutable_data_ptr<float>();
  for_each_item(starts, batch, [&](auto all, auto own, auto count) { std::copy_n(from + all, count, to + own); });
  return result;
}

void put_targets(const Tensor& values, std::span<const std::int64_t> starts, const TargetBatch& batch, const Tensor& from) {
  const Tensor source = from.detach().to(at::kCPU, at::kFloat).contiguous();
  const float* own_values = source.const_data_ptr<float>();
  float* all_values = values.mutable_data_ptr<float>();
  for_each_item(starts, batch, [&](auto all, auto own, auto count) { std::copy_n(own_values + own, count, all_values + all); });
}

Readout read_out(const models::LanguageModel& model, const TargetBatch& batch, const ReadoutOptions& options) {
  const Tensor all = model.forward(batch.batch, {.adapters = options.adapters, .checkpoint = options.checkpoint});
  Readout result;
  result.hidden = all.index_select(0, batch.rows);  // [targets, width]: prompts go no further
  auto logprobs = models::token_logprobs(result.hidden, model.output_weight(), batch.targets,
                                         {.temperature = options.temperature, .entropy = options.entropy, .sum_only = options.sum_only});
  result.logprobs = std::move(logprobs.logprobs);
  result.entropy = std::move(logprobs.entropy);
  result.likeliest = std::move(logprobs.likeliest);
  if (options.value) result.values = options.value->apply(result.hidden);
  return result;
}

}  // namespace rlhf::algorithms
