#include "rlhf/algorithms/rollout.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "rlhf/algorithms/minibatch.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {

void StopConfig::fields(Fields& f) {
  f.field("tokens", tokens, "token ids behind which a completion is cut; none = only where sampling stopped");
  f.field("after", after, "first place in the completion, from 0, where such a token counts");
  f.field("missing_score", missing_score, "replaces the score of a completion that has no end; unset = the score stays");
}

Stopped cut_at_stop(const data::Completion& completion, const StopConfig& config, const DecodeFn& decode) {
  if (config.tokens.empty()) return {completion, completion.finish == data::FinishReason::stop};
  for (auto i = static_cast<std::size_t>(config.after); i < completion.ids.size(); ++i) {
    if (std::find(config.tokens.begin(), config.tokens.end(), completion.ids[i]) == config.tokens.end()) continue;
    Stopped result{completion, true};
    result.completion.finish = data::FinishReason::stop;
    if (i + 1 == completion.ids.size()) return result;
    if (!decode)
      throw Error({.category = Category::usage,
                   .where = "stop.tokens",
                   .what = "a completion was cut, but there is no way to decode what is left",
                   .fix = "Pass a decode function in the hooks."});
    result.completion.ids.resize(i + 1);
    result.completion.raw_logprobs.resize(std::min(i + 1, completion.raw_logprobs.size()));
    result.completion.sampled_logprobs.resize(std::min(i + 1, completion.sampled_logprobs.size()));
    result.completion.text = decode(result.completion.ids);
    return result;
  }
  return {completion, false};
}

Rollout lay_out(std::vector<data::Prompt> prompts, std::vector<data::Completion> completions) {
  if (prompts.size() != completions.size() || completions.empty())
    throw Error({.category = Category::failure,
                 .where = "rollout",
                 .what = std::to_string(prompts.size()) + " prompts and " + std::to_string(completions.size()) + " completions",
                 .fix = "One prompt per completion, and at least one."});
  Rollout rollout{.prompts = std::move(prompts), .completions = std::move(completions)};
  rollout.starts.push_back(0);
  for (std::size_t i = 0; i < rollout.completions.size(); ++i) {
    const TokenIds &prompt = rollout.prompts[i].ids, &completion = rollout.completions[i].ids;
    if (prompt.empty() || completion.empty())
      throw Error({.category = Category::bad_data,
                   .where = "rollout: " + rollout.prompts[i].id,
                   .what = prompt.empty() ? "the prompt has no token" : "the completion has no token",
                   .fix = "Sample at least one token for a prompt of at least one."});
    data::Example example{.ids = prompt, .mask = std::vector<std::uint8_t>(prompt.size(), 0)};
    example.ids.insert(example.ids.end(), completion.begin(), completion.end());
    example.mask.resize(example.ids.size(), 1);
    example.scored = static_cast<std::int64_t>(example.ids.size()) - 1;
    rollout.examples.push_back(std::move(example));
    rollout.starts.push_back(rollout.starts.back() + static_cast<std::int64_t>(completion.size()));
  }
  for (Tensor* each : {&rollout.logprobs, &rollout.reference_logprobs, &rollout.values, &rollout.entropy})
    *each = at::empty({rollout.tokens()}, at::kFloat);
  return rollout;
}

std::vector<std::vector<TargetBatch>> partition(const Rollout& rollout, std::span<const std::int64_t> order,
                                                std::int64_t minibatches, std::int64_t micro_tokens) {
  std::vector<std::int64_t> lengths;
  for (const auto& example : rollout.examples) lengths.push_back(static_cast<std::int64_t>(example.ids.size()));
  std::vector<std::vector<TargetBatch>> result;
  for (const auto& minibatch : split_evenly(order, minibatches)) {
    result.emplace_back();
    for (const auto& piece : split_by_tokens(minibatch, lengths, micro_tokens))
      result.back().push_back(pack_targets(rollout.examples, piece));
  }
  return result;
}

PenalisedRewards penalise_kl(std::span<const rewards::Score> scores, const Rollout& rollout, KlEstimator estimator, double coefficient) {
  if (static_cast<std::int64_t>(scores.size()) != rollout.size())
    throw Error({.category = Category::failure,
                 .where = "reward",
                 .what = std::to_string(scores.size()) + " scores for " + std::to_string(rollout.size()) + " completions",
                 .fix = "A reward function returns one score per completion, in order."});
  const Tensor kl = estimate_kl(estimator, rollout.logprobs, rollout.reference_logprobs);
  PenalisedRewards result{.rewards = at::empty({rollout.tokens()}, at::kFloat)};
  const float* nats = kl.const_data_ptr<float>();
  float* reward = result.rewards.mutable_data_ptr<float>();
  const auto count = static_cast<double>(rollout.size());
  for (std::int64_t i = 0; i < rollout.size(); ++i) {
    const double score = scores[i].value;
    if (!std::isfinite(score))
      throw Error({.category = Category::bad_data,
                   .where = "reward: " + rollout.prompts[i].id,
                   .what = "the score is not a finite number",
                   .fix = "Look at this completion: " + rollout.completions[i].text});
    double sum = 0;
    for (std::int64_t t = rollout.starts[i]; t < rollout.starts[i + 1]; ++t) {
      sum += nats[t];
      reward[t] = static_cast<float>(-coefficient * nats[t]);
    }
    reward[rollout.starts[i + 1] - 1] += static_cast<float>(score);
    result.kl.push_back(sum);
    result.mean_kl += sum / count;
    result.mean_score += score / count;
    result.mean_reward += (score - coefficient * sum) / count;
  }
  return result;
}

Mismatch sampling_mismatch(const Rollout& rollout) {
  const float* trained = rollout.logprobs.const_data_ptr<float>();
  Mismatch result;
  std::int64_t tokens = 0;
  for (std::int64_t i = 0; i < rollout.size(); ++i) {
    const auto& sampled = rollout.completions[i].sampled_logprobs;
    for (std::size_t t = 0; t < sampled.size(); ++t, ++tokens) {
      const double gap = std::abs(double(sampled[t]) - trained[rollout.starts[i] + static_cast<std::int64_t>(t)]);
      result.mean += gap;
      result.max = std::max(result.max, gap);
    }
  }
  if (tokens > 0) result.mean /= static_cast<double>(tokens);
  return result;
}

}  // namespace rlhf::algorithms
