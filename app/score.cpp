#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/flags.h"
#include "app/signals.h"
#include "rlhf/core/error.h"
#include "rlhf/core/progress.h"
#include "rlhf/data/encode.h"
#include "rlhf/data/readers/rows.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/model_files.h"
#include "rlhf/models/token_logprobs.h"

namespace rlhf::app {
namespace {

using nlohmann::json;

struct ScoreSettings {
  std::string model;
  std::string data;
  std::int64_t limit = 0;
  std::int64_t batch_tokens = 4096;

  void fields(Fields& f) {
    f.field("model", model, "a reward model (score.weight in its folder) or a language model");
    f.field("data", data, "JSONL file with \"prompt\" and \"completion\" in each row; - is standard input");
    f.field("limit", limit, "rows to read; 0 = all");
    f.field("batch_tokens", batch_tokens, "tokens per forward pass");
  }
};

/// Rows as `rlhf generate` writes them hold the completion's tokens: these are scored, not what their text would encode to.
void take_tokens(data::Demonstration& row) {
  const auto& columns = row.prompt.row;
  if (columns.is_object() && columns.contains("ids") && columns["ids"].is_array()) row.completion.ids = columns["ids"].get<TokenIds>();
}

data::Example encode(const data::Demonstration& row, const models::LoadedModel& loaded) {
  auto encoded = data::encode(row, loaded.text);
  const auto context = loaded.model->shape().context;
  std::string problem;
  // What cannot teach may still be scored: a completion that was cut off, or one that was seen before.
  if (encoded.problem && encoded.problem != data::Problem::missing_stop && encoded.problem != data::Problem::duplicate) {
    problem = data::problem_name(*encoded.problem);
  } else if (context > 0 && std::ssize(encoded.example.ids) > context) {
    problem = fmt::format("{} tokens are more than the model's context of {}", encoded.example.ids.size(), context);
  }
  if (problem.empty()) return std::move(encoded.example);
  throw Error({.category = Category::bad_data, .where = row.where, .what = "cannot be scored: " + problem, .fix = "Correct or remove the row."});
}

/// Consecutive examples of at most `budget` tokens together, one at least.
std::size_t end_of_batch(const std::vector<data::Example>& examples, std::size_t begin, std::int64_t budget) {
  std::int64_t tokens = 0;
  std::size_t end = begin;
  while (end < examples.size() && (end == begin || tokens + std::ssize(examples[end].ids) <= budget)) tokens += std::ssize(examples[end++].ids);
  return end;
}

/// The reward head at each example's scored position.
std::vector<double> scores(const models::LoadedModel& loaded, std::span<const data::Example> examples, const Tensor& hidden,
                           const std::vector<std::int64_t>& starts) {
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < examples.size(); ++i) rows.push_back(starts[i] + examples[i].scored);
  const auto values = loaded.score->apply(hidden.index_select(0, at::tensor(rows, at::kLong))).to(at::kDouble).contiguous();
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

int score(const Invocation& call) {
  ScoreSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf score --model M --data FILE.jsonl|-",
                            .description = "Writes the rows it read, with one column more: \"score\" if the model is a reward model, otherwise\n"
                                           "\"logprob\", the sum over the completion's tokens in nats."},
                     settings)) return 0;
  require_given("model", settings.model, "rlhf score --model runs/rm --data completions.jsonl");
  require_given("data", settings.data, "rlhf score --model runs/rm --data completions.jsonl");
  const auto loaded = models::load_model(settings.model);
  auto rows = data::read_demonstrations(settings.data, {.limit = settings.limit});
  std::vector<data::Example> examples;
  for (auto& row : rows) {
    take_tokens(row);
    examples.push_back(encode(row, loaded));
  }
  Progress progress({.quiet = call.json});
  progress.start("score", static_cast<std::int64_t>(rows.size()));
  const at::NoGradGuard no_gradients;
  for (std::size_t begin = 0; begin < rows.size();) {
    stop_if_requested();
    const auto end = end_of_batch(examples, begin, settings.batch_tokens);
    const auto part = std::span(examples).subspan(begin, end - begin);
    std::vector<TokenIds> ids;
    for (const auto& example : part) ids.push_back(example.ids);
    const auto batch = models::pack(ids);
    const auto hidden = loaded.model->forward(batch);
    const auto values = loaded.score ? scores(loaded, part, hidden, batch.starts) : logprobs(loaded, part, hidden, batch.starts);
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto row = rows[begin + i].prompt.row;
      row[loaded.score ? "score" : "logprob"] = values[i];
      std::cout << row.dump() << '\n';
    }
    progress.advance(static_cast<std::int64_t>(values.size()));
    begin = end;
  }
  progress.finish();
  return 0;
}

}  // namespace rlhf::app
