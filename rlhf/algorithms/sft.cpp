#include "rlhf/algorithms/sft.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "rlhf/algorithms/target_batch.h"
#include "rlhf/algorithms/trainable.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/data/loader.h"

namespace rlhf::algorithms {
namespace {

std::int64_t counted(const data::Example& example) {
  return std::count_if(example.mask.begin() + (example.mask.empty() ? 0 : 1), example.mask.end(), [](auto m) { return m != 0; });
}

SftMetrics update(const models::LanguageModel& model, std::span<const data::Example> examples, const data::Step& step,
                  AdamW& optimizer, double learning_rate, bool recompute) {
  double targets = 0;
  for (const auto row : step.rows) targets += static_cast<double>(counted(examples[row]));
  SftMetrics metrics{.loss = at::zeros({}), .entropy = at::zeros({}), .mean_token_accuracy = at::zeros({})};
  optimizer.zero_grad();
  for (const auto& rows : step.micro_batches) {
    const auto batch = pack_targets(examples, rows);
    const auto read = read_out(model, batch, {.entropy = true, .sum_only = true, .checkpoint = recompute});
    const auto [loss] = sft_loss(read.logprobs, targets);
    loss.backward();
    metrics.loss += loss.detach();
    metrics.entropy += read.entropy.detach().sum() / targets;
    metrics.num_tokens += batch.batch.tokens();
    metrics.mean_token_accuracy += read.likeliest.sum() / targets;
  }
  metrics.learning_rate = learning_rate;
  metrics.grad_norm = optimizer.step(learning_rate);
  return metrics;
}

void require_supervised(std::span<const data::Example> examples) {
  for (std::size_t i = 0; i < examples.size(); ++i)
    if (counted(examples[i]) == 0)
      throw Error({.category = Category::bad_data,
                   .where = "sft: example " + std::to_string(i),
                   .what = "no token of it carries loss",
                   .fix = "Leave it out; data::prepare does, and counts why."});
}

}  // namespace

void SftConfig::fields(Fields& f) {
  f.field("epochs", epochs, "passes over the examples");
  f.field("batch", batch, "examples per optimiser step");
  f.field("learning_rate", learning_rate, "peak learning rate; unset: 2e-5 for all weights, 2e-4 for adapters");
  f.group("schedule", schedule, "how the learning rate moves");
  f.group("adam", adam, "the optimiser");
  f.field("micro_tokens", micro_tokens, "tokens per forward pass; changes memory, never the result");
  f.field("recompute", recompute, "recompute layers in the backward pass: less memory, a third more time");
  f.field("evaluate_every", evaluate_every, "steps between evaluations; 0 = never");
  f.field("checkpoint_every", checkpoint_every, "steps between checkpoints; 0 = at the end only");
  f.field("seed", seed, "order of the examples");
}

void SftConfig::validate() const {
  const auto require = [](bool holds, const char* field, const std::string& what) {
    if (!holds) throw Error({.category = Category::usage, .where = field, .what = what, .fix = "Give a positive number."});
  };
  require(epochs > 0, "epochs", std::to_string(epochs) + " is not at least 1");
  require(batch > 0, "batch", std::to_string(batch) + " is not at least 1");
  require(!learning_rate || *learning_rate > 0, "learning_rate", "it is not more than 0");
}

SftLoss sft_loss(const Tensor& logprobs, double denominator) {
  return {.loss = -logprobs.sum() / (denominator > 0 ? denominator : static_cast<double>(logprobs.numel()))};
}

void SftMetrics::log(MetricRow& row) const {
  row.add("loss", loss);
  row.add("entropy", entropy);
  row.add("mean_token_accuracy", mean_token_accuracy);
  row.add("num_tokens", static_cast<double>(num_tokens));
  row.add("learning_rate", learning_rate);
  row.add("grad_norm", grad_norm);
  row.add("epoch", epoch);
  row.add("tokens_per_second/train", tokens_per_second);
}

SftResult train(models::LanguageModel& model, std::span<const data::Example> examples, const SftConfig& config,
                const SftHooks& hooks, Run& run) {
  config.validate();
  require_supervised(examples);
  std::vector<std::int64_t> lengths;
  for (const auto& example : examples) lengths.push_back(static_cast<std::int64_t>(example.ids.size()));
  // One example may be longer than the budget; the loader would refuse it, a forward pass of its own is better.
  const auto longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  data::Loader loader(lengths, {.batch = config.batch,
                                .micro_tokens = config.micro_tokens > 0 ? std::max(config.micro_tokens, longest) : 0,
                                .seed = config.seed});
  const TrainingScope scope(model);
  AdamW optimizer(scope.parameters(), config.adam);
  const double peak = config.learning_rate.value_or(has_adapters(model) ? 2e-4 : 2e-5);
  const auto per_epoch = loader.steps_per_epoch(), total = config.epochs * per_epoch;

  std::int64_t tokens = 0;
  SftResult result;
  if (const auto& restored = run.restored()) {
    restore_parameters(scope.parameters(), restored->state);
    optimizer.restore(restored->state, "adam");
    loader.restore(restored->state.values.at("loader"));
    tokens = restored->state.values.at("tokens").get<std::int64_t>();
    result = {.steps = run.first_step(), .loss = restored->state.values.at("loss").get<double>()};
  }
  run.progress().start("sft", total, run.first_step());
  for (auto step = run.first_step(); step < total; ++step) {
    const double began = steady_seconds();
    auto metrics = update(model, examples, loader.next(), optimizer, scheduled(config.schedule, peak, step, total),
                          config.recompute);
    metrics.tokens_per_second = static_cast<double>(metrics.num_tokens) / (steady_seconds() - began);
    metrics.num_tokens = tokens += metrics.num_tokens;
    metrics.epoch = static_cast<double>(step + 1) / static_cast<double>(per_epoch);
    run.report(step, metrics);
    result = {.steps = step + 1, .loss = metrics.loss.item<double>()};
    run.progress().advance();
    if (hooks.evaluate && config.evaluate_every > 0 && (step + 1) % config.evaluate_every == 0) hooks.evaluate(step);

    const bool last = step + 1 == total, stop = run.stop_requested();
    if (last || stop || (config.checkpoint_every > 0 && (step + 1) % config.checkpoint_every == 0)) {
      State state;
      save_parameters(scope.parameters(), state);
      optimizer.save(state, "adam");
      state.values["loader"] = loader.cursor();
      state.values["tokens"] = tokens;
      state.values["loss"] = result.loss;
      run.checkpoint(step, hooks.write_model, state);
    }
    if (stop) break;
  }
  run.progress().finish();
  return result;
}

}  // namespace rlhf::algorithms
