#include "rlhf/algorithms/reward_training.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "rlhf/algorithms/reward_loss.h"
#include "rlhf/algorithms/trainable.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/data/loader.h"

namespace rlhf::algorithms {
namespace {

struct HeldOutMetrics {
  PairAccuracy train, held_out;

  void log(MetricRow& row) const {
    row.add("train/accuracy", train.accuracy);
    if (held_out.pairs == 0) return;
    row.add("eval_accuracy", held_out.accuracy);
    row.add("eval_accuracy/low", held_out.low);
    row.add("eval_accuracy/high", held_out.high);
    for (std::size_t i = 0; i < held_out.bins.size(); ++i)
      row.add("eval_accuracy/margin_quarter_" + std::to_string(i + 1), held_out.bins[i].accuracy);
  }
};

/// The head and the last scaling learn together with the trunk.
NamedParameters all_parameters(RewardModel& model, const NamedParameters& trunk) {
  NamedParameters all = trunk;
  all.emplace_back("score.weight", model.head.weight);
  if (model.head.bias.defined()) all.emplace_back("score.bias", model.head.bias);
  all.emplace_back("gain", model.gain);
  all.emplace_back("bias", model.bias);
  for (auto& [name, tensor] : all) tensor.set_requires_grad(true);
  return all;
}

/// The head's gradients end with training, also when it ends by an exception.
struct HeadScope {
  RewardModel& model;
  ~HeadScope() {
    for (Tensor* tensor : {&model.head.weight, &model.head.bias, &model.gain, &model.bias}) {
      if (!tensor->defined()) continue;
      tensor->mutable_grad().reset();
      tensor->set_requires_grad(false);
    }
  }
};

void normalise_on(RewardModel& model, const RewardData& data, std::int64_t micro_tokens) {
  const auto items = data.samples.empty() ? items_of(data.train) : std::vector<data::Example>();
  normalise(model, score(model, data.samples.empty() ? std::span<const data::Example>(items) : data.samples, micro_tokens));
}

RewardMetrics update(const RewardModel& model, const RewardData& data, const data::Step& step, AdamW& optimizer, double learning_rate,
                     const RewardModelConfig& config) {
  double strength = 0;
  for (const auto row : step.rows) strength += data.train[row].strength;
  RewardMetrics metrics{.loss = at::zeros({}), .learning_rate = learning_rate};
  std::vector<Tensor> scores;
  std::vector<data::Comparison> seen;
  optimizer.zero_grad();
  for (const auto& rows : step.micro_batches) {
    std::vector<const data::Comparison*> judgements;
    std::vector<data::Example> items;
    for (const auto row : rows) {
      judgements.push_back(&data.train[row]);
      seen.push_back(data.train[row]);
      const auto more = items_of(data.train.subspan(row, 1));
      items.insert(items.end(), more.begin(), more.end());
    }
    const Tensor score = model.read(model.features(items, config.recompute));
    const auto [loss, preference] = best_of_n_loss(score, judgements, strength);
    loss.backward();
    metrics.loss += loss.detach();
    scores.push_back(score.detach());
    for (const auto& item : items) metrics.num_tokens += static_cast<std::int64_t>(item.ids.size());
  }
  const Tensor all = at::cat(scores);
  const auto judged = pair_accuracy(all, seen);
  metrics.accuracy = judged.accuracy;
  std::vector<const data::Comparison*> whole;
  for (const auto& comparison : seen) whole.push_back(&comparison);
  metrics.margin = best_of_n_loss(all, whole).metrics.margin.item<double>();
  metrics.min_reward = all.min().item<double>();
  metrics.mean_reward = all.mean().item<double>();
  metrics.max_reward = all.max().item<double>();
  metrics.grad_norm = optimizer.step(learning_rate);
  return metrics;
}

std::int64_t train_trunk(RewardModel& model, models::LanguageModel& trunk, const RewardData& data, const RewardModelConfig& config,
                         const WriteModel& write_model, Run& run) {
  const TrainingScope scope(trunk);
  const HeadScope head_scope{model};
  AdamW optimizer(all_parameters(model, scope.parameters()), config.adam);
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < data.train.size(); ++i) {
    lengths.push_back(0);
    for (const auto& item : data.train[i].items) lengths.back() += static_cast<std::int64_t>(data.train[i].prompt.size() + item.size());
  }
  const auto longest = *std::max_element(lengths.begin(), lengths.end());
  data::Loader loader(lengths, {.batch = config.batch, .micro_tokens = std::max(config.micro_tokens, longest), .seed = config.seed});
  const double peak = config.learning_rate.value_or(has_adapters(trunk) ? 5e-4 : 5e-5);
  const auto per_epoch = loader.steps_per_epoch(), total = config.epochs * per_epoch;
  std::int64_t tokens = 0;
  if (const auto& restored = run.restored()) {
    restore_parameters(optimizer.parameters(), restored->state);
    optimizer.restore(restored->state, "adam");
    loader.restore(restored->state.values.at("loader"));
    tokens = restored->state.values.at("tokens").get<std::int64_t>();
  }
  run.progress().start("reward model", total, run.first_step());
  auto step = run.first_step();
  for (; step < total; ++step) {
    const double began = steady_seconds();
    auto metrics = update(model, data, loader.next(), optimizer, scheduled(config.schedule, peak, step, total), config);
    metrics.tokens_per_second = static_cast<double>(metrics.num_tokens) / (steady_seconds() - began);
    metrics.num_tokens = tokens += metrics.num_tokens;
    metrics.epoch = static_cast<double>(step + 1) / static_cast<double>(per_epoch);
    run.report(step, metrics);
    run.progress().advance();
    const bool last = step + 1 == total, stop = run.stop_requested();
    if (last || stop || (config.checkpoint_every > 0 && (step + 1) % config.checkpoint_every == 0)) {
      State state;
      save_parameters(optimizer.parameters(), state);
      optimizer.save(state, "adam");
      state.values = {{"loader", loader.cursor()}, {"tokens", tokens}, {"adam.steps", optimizer.steps()}};
      run.checkpoint(step, write_model, state);
    }
    if (stop) return step + 1;
  }
  run.progress().finish();
  return total;
}

}  // namespace

void RewardModelConfig::fields(Fields& f) {
  f.choice("trunk", trunk, {{"frozen", RewardTrunk::frozen}, {"trained", RewardTrunk::trained}}, "frozen: the head alone; trained: adapters or all weights, too");
  f.group("fit", fit, "the head on a frozen trunk");
  f.field("epochs", epochs, "passes over the comparisons");
  f.field("batch", batch, "comparisons per optimiser step");
  f.field("learning_rate", learning_rate, "peak learning rate; unset: 5e-5 for all weights, 5e-4 for adapters");
  f.group("schedule", schedule, "how the learning rate moves");
  f.group("adam", adam, "the optimiser");
  f.field("micro_tokens", micro_tokens, "tokens per forward pass; changes memory, never the result");
  f.field("recompute", recompute, "recompute layers in the backward pass");
  f.field("checkpoint_every", checkpoint_every, "steps between checkpoints; 0 = at the end only");
  f.field("seed", seed, "order of the comparisons");
}

void RewardModelConfig::validate() const {
  if (epochs > 0 && batch > 0 && (!learning_rate || *learning_rate > 0)) return;
  throw Error({.category = Category::usage, .where = "reward_model", .what = "epochs, batch and learning_rate have to be more than 0", .fix = "The defaults are a good start."});
}

void RewardMetrics::log(MetricRow& row) const {
  row.add("loss", loss);
  row.add("accuracy", accuracy);
  row.add("margin", margin);
  row.add("min_reward", min_reward);
  row.add("mean_reward", mean_reward);
  row.add("max_reward", max_reward);
  row.add("num_tokens", static_cast<double>(num_tokens));
  row.add("learning_rate", learning_rate);
  row.add("grad_norm", grad_norm);
  row.add("epoch", epoch);
  row.add("tokens_per_second/train", tokens_per_second);
}

RewardResult train(RewardModel& model, models::LanguageModel& trunk, const RewardData& data, const RewardModelConfig& config,
                   const WriteModel& write_model, Run& run) {
  config.validate();
  if (data.train.empty())
    throw Error({.category = Category::bad_data, .where = "reward model", .what = "there is no comparison to learn from", .fix = "Collect some with `rlhf collect`."});
  RewardResult result;
  if (config.trunk == RewardTrunk::frozen) {
    run.progress().start("reward features", 0);
    result.fit = fit_head(model, data.train, config.fit, [&](std::int64_t done, std::int64_t) { run.progress().set(done); });
    run.progress().finish();
    normalise_on(model, data, config.micro_tokens);
  } else {
    if (!run.restored()) normalise_on(model, data, config.micro_tokens);
    result.steps = train_trunk(model, trunk, data, config, write_model, run);
    if (run.stop_requested()) return result;
    normalise_on(model, data, config.micro_tokens);
  }
  result.train = pair_accuracy(score(model, items_of(data.train), config.micro_tokens), data.train);
  if (!data.held_out.empty()) result.held_out = pair_accuracy(score(model, items_of(data.held_out), config.micro_tokens), data.held_out);
  run.report(std::max<std::int64_t>(0, result.steps), HeldOutMetrics{.train = result.train, .held_out = result.held_out});
  if (config.trunk == RewardTrunk::frozen) run.checkpoint(0, write_model, {});
  return result;
}

}  // namespace rlhf::algorithms
