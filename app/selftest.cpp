#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/flags.h"
#include "app/model_probe.h"
#include "app/signals.h"
#include "rlhf/core/error.h"
#include "rlhf/core/progress.h"
#include "rlhf/generation/engine.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/model_files.h"
#include "rlhf/models/token_logprobs.h"

namespace rlhf::app {
namespace {

struct SelftestSettings {
  std::string model;
  std::vector<std::int64_t> lengths = {8, 32, 96};
  std::vector<std::int64_t> batches = {1, 4, 8};
  double temperature = 0.7;
  double tolerance = 1e-4;

  void fields(Fields& f) {
    f.field("model", model, "folder, GGUF file, run or name of a model");
    f.field("lengths", lengths, "tokens sampled per completion");
    f.field("batches", batches, "completions at once");
    f.field("temperature", temperature, "of the sampled distribution");
    f.field("tolerance", tolerance, "largest difference of two logprobs that should be one, nats");
  }
};

/// One line of the answer.
struct Check {
  std::string name;
  double largest = 0;             // nats
  double mean_ratio_error = 0;    // mean of exp|difference| - 1
};

void add(Check& check, double difference, std::size_t of) {
  check.largest = std::max(check.largest, std::abs(difference));
  check.mean_ratio_error += std::expm1(std::abs(difference)) / static_cast<double>(of);
}

TokenIds joined(const TokenIds& prompt, const TokenIds& completion) {
  auto all = prompt;
  all.insert(all.end(), completion.begin(), completion.end());
  return all;
}

/// What training computes for completions: [all their tokens] in order, nats. The sequences are packed as one batch.
std::vector<float> training_logprobs(const models::LanguageModel& model, std::span<const data::Prompt> prompts,
                                     std::span<const data::Completion> completions, double temperature) {
  const at::NoGradGuard no_gradients;
  std::vector<TokenIds> sequences;
  std::vector<std::int64_t> rows, targets;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    sequences.push_back(joined(prompts[i].ids, completions[i].ids));
    const auto prompt = static_cast<std::int64_t>(prompts[i].ids.size());
    for (std::size_t t = 0; t < completions[i].ids.size(); ++t) {
      rows.push_back(begin + prompt + static_cast<std::int64_t>(t) - 1);
      targets.push_back(completions[i].ids[t]);
    }
    begin += std::ssize(sequences.back());
  }
  const auto hidden = model.forward(models::pack(sequences)).index_select(0, at::tensor(rows, at::kLong));
  const auto values = models::token_logprobs(hidden, model.output_weight(), at::tensor(targets, at::kLong), {.temperature = temperature}).logprobs.contiguous();
  return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
}

std::vector<data::Prompt> probe_prompts(const models::LoadedModel& loaded, std::int64_t count) {
  const auto vocabulary = std::min(loaded.model->shape().vocabulary, loaded.text.tokenizer.size());
  const auto ids = probe_tokens(vocabulary, 8 + count);
  std::vector<data::Prompt> prompts(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    prompts[i].id = fmt::format("probe {}", i);
    prompts[i].ids.assign(ids.begin(), ids.begin() + 3 + static_cast<std::ptrdiff_t>(i));  // lengths differ
  }
  return prompts;
}

class Selftest {
 public:
  Selftest(const models::LoadedModel& loaded, const SelftestSettings& settings, Progress& progress)
      : loaded_(loaded), settings_(settings), progress_(progress) {}

  /// The decoding loop's logprobs (cache, one token at a time) against the training kernel's (one packed forward).
  Check decoding_is_training(std::int64_t batch, std::int64_t length) {
    Check check{.name = fmt::format("decoding = training, {} x {} tokens", batch, length)};
    const auto prompts = probe_prompts(loaded_, batch);
    const auto completions = sample(prompts, length);
    const auto raw = training_logprobs(*loaded_.model, prompts, completions, 1);
    const auto tempered = training_logprobs(*loaded_.model, prompts, completions, settings_.temperature);
    std::size_t at = 0;
    for (const auto& completion : completions) {
      for (std::size_t t = 0; t < completion.ids.size(); ++t, ++at) {
        add(check, completion.raw_logprobs[t] - raw[at], 2 * raw.size());
        add(check, completion.sampled_logprobs[t] - tempered[at], 2 * raw.size());
      }
    }
    return check;
  }

  /// The same sequences packed together and one by one.
  Check packing_changes_nothing() {
    Check check{.name = "packed = one by one"};
    const auto prompts = probe_prompts(loaded_, settings_.batches.back());
    const auto completions = sample(prompts, settings_.lengths.front());
    const auto together = training_logprobs(*loaded_.model, prompts, completions, 1);
    std::size_t at = 0;
    for (std::size_t i = 0; i < completions.size(); ++i) {
      const auto alone = training_logprobs(*loaded_.model, {&prompts[i], 1}, {&completions[i], 1}, 1);
      for (const float logprob : alone) add(check, logprob - together[at++], together.size());
    }
    return check;
  }

  /// Completions drawn together and one by one: the same tokens, the same logprobs.
  Check neighbours_change_nothing() {
    Check check{.name = "sampled together = alone"};
    const auto prompts = probe_prompts(loaded_, settings_.batches.back());
    const auto together = sample(prompts, settings_.lengths.front());
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const auto alone = sample({&prompts[i], 1}, settings_.lengths.front()).front();
      for (std::size_t t = 0; t < alone.ids.size(); ++t) {
        const bool same = alone.ids[t] == together[i].ids[t];
        add(check, same ? alone.raw_logprobs[t] - together[i].raw_logprobs[t] : std::numeric_limits<double>::infinity(), alone.ids.size() * prompts.size());
        if (!same) break;
      }
    }
    return check;
  }

  /// The first step's ratio has to be exactly 1: the same batch twice, to the bit.
  Check repeats_exactly() {
    Check check{.name = "the same batch twice (must be 0)"};
    const auto prompts = probe_prompts(loaded_, settings_.batches.back());
    const auto completions = sample(prompts, settings_.lengths.front());
    const auto first = training_logprobs(*loaded_.model, prompts, completions, 1), second = training_logprobs(*loaded_.model, prompts, completions, 1);
    for (std::size_t i = 0; i < first.size(); ++i) add(check, first[i] == second[i] ? 0 : 1, first.size());
    return check;
  }

 private:
  std::vector<data::Completion> sample(std::span<const data::Prompt> prompts, std::int64_t length) {
    generation::GenerateOptions options;
    options.progress = [&](const generation::GenerateProgress&) { stop_if_requested(); };
    progress_.advance();
    return generation::generate(*loaded_.model, loaded_.text, prompts,
                                {.max_new_tokens = length, .temperature = settings_.temperature, .seed = 1, .ignore_eos = true}, options);
  }

  const models::LoadedModel& loaded_;
  const SelftestSettings& settings_;
  Progress& progress_;
};

}  // namespace

int selftest(const Invocation& call) {
  SelftestSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf selftest MODEL",
                            .description = "Samples from the model and compares what decoding says about each token with what training says: the ratio that\n"
                                           "reinforcement learning starts from. Exit code 5 when a difference is above the tolerance.",
                            .positional = {"model"}},
                     settings)) return 0;
  require_given("model", settings.model, "rlhf selftest smollm2-135m");
  if (settings.lengths.empty() || settings.batches.empty()) {
    throw Error({.category = Category::usage, .where = "lengths, batches", .what = "need one value at least"});
  }
  const auto loaded = models::load_model(settings.model);
  Progress progress({.quiet = call.json});
  progress.start("selftest", 0);
  Selftest test(loaded, settings, progress);
  std::vector<Check> checks = {test.repeats_exactly(), test.packing_changes_nothing(), test.neighbours_change_nothing()};
  for (const auto batch : settings.batches) {
    for (const auto length : settings.lengths) checks.push_back(test.decoding_is_training(batch, length));
  }
  progress.finish();
  bool passed = true;
  for (const auto& check : checks) {
    const bool holds = check.largest <= settings.tolerance;
    passed = passed && holds;
    if (call.json) {
      std::cout << nlohmann::json{{"check", check.name}, {"largest", check.largest}, {"mean_ratio_error", check.mean_ratio_error}, {"holds", holds}}.dump() << '\n';
    } else {
      std::cout << fmt::format("{:<5} {:<40} largest {:.2e} nats, mean ratio error {:.2e}\n", holds ? "ok" : "BAD", check.name, check.largest, check.mean_ratio_error);
    }
  }
  return passed ? 0 : static_cast<int>(Category::check);
}

}  // namespace rlhf::app
