#include "rlhf/rewards/learned.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "rlhf/core/error.h"
#include "rlhf/data/encode.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/token_logprobs.h"

namespace rlhf::rewards {
namespace {

/// The reward head at each example's scored position.
std::vector<double> scores(const models::LoadedModel& loaded, std::span<const data::Example> rows, const Tensor& hidden,
                           const std::vector<std::int64_t>& starts) {
  std::vector<std::int64_t> scored;
  for (std::size_t i = 0; i < rows.size(); ++i) scored.push_back(starts[i] + rows[i].scored);
  const auto values = loaded.score->apply(hidden.index_select(0, at::tensor(scored, at::kLong))).to(at::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

/// The sum of logprobs over each example's mask, nats.
std::vector<double> logprobs(const models::LoadedModel& loaded, std::span<const data::Example> examples, const Tensor& hidden,
                             const std::vector<std::int64_t>& starts) {
  std::vector<std::int64_t> rows, targets, owners;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    for (std::size_t t = 1; t < examples[i].ids.size(); ++t) {
      if (!examples[i].mask[t]) continue;
      rows.push_back(starts[i] + static_cast<std::int64_t>(t) - 1);
      targets.push_back(examples[i].ids[t]);
      owners.push_back(static_cast<std::int64_t>(i));
    }
  }
  std::vector<double> sums(examples.size());
  if (rows.empty()) return sums;
  const auto each = models::token_logprobs(hidden.index_select(0, at::tensor(rows, at::kLong)), loaded.model->output_weight(),
                                           at::tensor(targets, at::kLong)).logprobs.to(at::kDouble).contiguous();
  for (std::size_t i = 0; i < rows.size(); ++i) sums[owners[i]] += each.const_data_ptr<double>()[i];
  return sums;
}

}  // namespace

std::size_t end_of_pass(std::span<const data::Example> rows, std::size_t begin, std::int64_t batch_tokens) {
  std::int64_t tokens = 0;
  std::size_t end = begin;
  while (end < rows.size() && (end == begin || tokens + std::ssize(rows[end].ids) <= batch_tokens)) tokens += std::ssize(rows[end++].ids);
  return end;
}

std::vector<double> model_scores(const models::LoadedModel& loaded, std::span<const data::Example> rows, std::int64_t batch_tokens) {
  const at::NoGradGuard no_gradients;
  std::vector<double> all;
  for (std::size_t begin = 0; begin < rows.size();) {
    const auto end = end_of_pass(rows, begin, batch_tokens);
    const auto part = rows.subspan(begin, end - begin);
    std::vector<TokenIds> ids;
    for (const auto& row : part) ids.push_back(row.ids);
    const auto batch = models::pack(ids);
    const auto hidden = loaded.model->forward(batch);
    const auto values = loaded.score ? scores(loaded, part, hidden, batch.starts) : logprobs(loaded, part, hidden, batch.starts);
    all.insert(all.end(), values.begin(), values.end());
    begin = end;
  }
  return all;
}

data::Example scorable(const data::Demonstration& row, const models::LoadedModel& loaded) {
  auto encoded = data::encode(row, loaded.text);
  const auto context = loaded.model->shape().context;
  std::string problem;
  // What cannot teach may still be scored: a completion that was cut off, or one that was seen before.
  if (encoded.problem && encoded.problem != data::Problem::missing_stop && encoded.problem != data::Problem::duplicate) {
    problem = data::problem_name(*encoded.problem);
  } else if (context > 0 && std::ssize(encoded.example.ids) > context) {
    problem = fmt::format("{} tokens are more than the model's context of {}", encoded.example.ids.size(), context);
  }
  for (const auto id : encoded.example.ids) {
    if (id < 0 || id >= loaded.model->shape().vocabulary) problem = fmt::format("token {} is not in the model's vocabulary", id);
  }
  if (problem.empty()) return std::move(encoded.example);
  throw Error({.category = Category::bad_data, .where = row.where, .what = "cannot be scored: " + problem, .fix = "Correct or remove the row."});
}

}  // namespace rlhf::rewards
