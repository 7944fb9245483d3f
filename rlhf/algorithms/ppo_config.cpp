#include <string>

#include "rlhf/algorithms/ppo.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

void require(bool holds, const char* field, std::string what, std::string fix) {
  if (!holds) throw Error({.category = Category::usage, .where = field, .what = std::move(what), .fix = std::move(fix)});
}

void require_positive(const char* field, double value) {
  require(value > 0, field, std::to_string(value) + " is not more than 0", "Give a positive number.");
}

}  // namespace

void PpoConfig::fields(Fields& f) {
  f.field("steps", steps, "batches of completions");
  f.field("batch", batch, "completions per step");
  f.field("epochs", epochs, "passes over one batch");
  f.field("minibatches", minibatches, "optimiser steps per pass");
  f.field("learning_rate", learning_rate, "peak learning rate; unset: 5e-6 for all weights, 1e-3 for adapters");
  f.group("schedule", schedule, "how the learning rate moves, by step");
  f.group("adam", adam, "the optimiser");
  f.field("clip", clip, "ratio kept within 1 ± clip");
  f.field("value_clip", value_clip, "value kept within ± this of the old one");
  f.field("value_coefficient", value_coefficient, "weight of the value loss");
  f.group("gae", gae, "advantage estimation");
  f.field("whiten_advantages", whiten_advantages, "scale advantages to mean 0 and variance 1");
  f.field("whiten_rewards", whiten_rewards, "scale rewards to variance 1, their mean kept");
  f.group("kl", kl, "penalty on the distance to the reference");
  f.group("stop", stop, "where a completion ends");
  f.field("as_published", as_published, "also learn from tokens behind the stop token, as the code of 2019 does");
  f.group("sampling", sampling, "how completions are drawn");
  f.field("micro_tokens", micro_tokens, "tokens per forward pass; changes memory, never the result");
  f.field("recompute", recompute, "recompute layers in the backward pass: less memory, a third more time");
  f.field("sign_test", sign_test, "refuse to start when the reward prefers the known-bad sample");
  f.field("samples", samples, "completions per step written to samples.jsonl");
  f.field("evaluate_every", evaluate_every, "steps between evaluations; 0 = never");
  f.field("checkpoint_every", checkpoint_every, "steps between checkpoints; 0 = at the end only");
  f.field("seed", seed, "order of prompts and minibatches; sampling has its own");
}

void PpoConfig::validate() const {
  require_positive("steps", steps);
  require_positive("batch", batch);
  require_positive("epochs", epochs);
  require_positive("minibatches", minibatches);
  require_positive("clip", clip);
  require_positive("value_clip", value_clip);
  require_positive("micro_tokens", micro_tokens);
  if (learning_rate) require_positive("learning_rate", *learning_rate);
  require(batch % sampling.num == 0, "batch", std::to_string(batch) + " is not a multiple of sampling.num = " + std::to_string(sampling.num),
          "Every prompt of a step gets sampling.num completions.");
  require(minibatches <= batch, "minibatches", std::to_string(minibatches) + " is more than batch = " + std::to_string(batch),
          "Take fewer minibatches.");
  require(!whiten_rewards || batch / minibatches >= 8, "whiten_rewards",
          "a minibatch of " + std::to_string(batch / minibatches) + " completions is too small to scale rewards by its own spread",
          "Take minibatches of 8 or more, or set whiten_rewards = false.");
  // The ratio of the loss is over the whole vocabulary; a filtered draw comes from another distribution.
  require(!sampling.greedy && sampling.top_k == 0 && sampling.top_p == 1 && sampling.min_p == 0 && sampling.repetition_penalty == 1,
          "sampling", "greedy, top_k, top_p, min_p and repetition_penalty change the distribution that the ratio is about",
          "Leave them at their defaults while training; use temperature.");
  require(stop.after >= 0, "stop.after", std::to_string(stop.after) + " is negative", "Take 0 or more.");
}

void PpoMetrics::log(MetricRow& row) const {
  row.add("objective/scores", scores);
  row.add("objective/scores_std", score_std);
  row.add("objective/kl", kl);
  row.add("objective/rlhf_reward", rlhf_reward);
  row.add("objective/non_score_reward", rlhf_reward - scores);
  row.add("objective/entropy", entropy);
  row.add("kl/coefficient", coefficient);
  row.add("policy/approxkl_avg", approx_kl);
  row.add("policy/clipfrac_avg", clip_fraction);
  row.add("policy/entropy_avg", policy_entropy);
  row.add("loss/policy_avg", policy_loss);
  row.add("loss/value_avg", value_loss);
  row.add("val/clipfrac_avg", value_clip_fraction);
  row.add("val/ratio", ratio);
  row.add("val/ratio_max", ratio_max);
  row.add("val/ratio_start", ratio_start);
  // A metric that does not exist is absent, not NaN: all returns may be equal.
  if (explained_variance == explained_variance) row.add("val/explained_variance", explained_variance);
  row.add("completions/mean_length", completion_length);
  row.add("completions/stopped_ratio", stopped);
  row.add("sampling/sampling_logp_difference/mean", mismatch_mean);
  row.add("sampling/sampling_logp_difference/max", mismatch_max);
  row.add("lr", learning_rate);
  row.add("grad_norm", grad_norm);
  row.add("episode", static_cast<double>(episodes));
  row.add("time/generate", generate_seconds);
  row.add("time/reward", reward_seconds);
  row.add("time/train", train_seconds);
  row.add("tokens_per_second/generate", generated_per_second);
  row.add("tokens_per_second/train", trained_per_second);
}

}  // namespace rlhf::algorithms
