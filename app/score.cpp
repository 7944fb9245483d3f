#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/flags.h"
#include "app/signals.h"
#include "rlhf/core/error.h"
#include "rlhf/core/progress.h"
#include "rlhf/data/readers/rows.h"
#include "rlhf/models/model_files.h"
#include "rlhf/rewards/learned.h"

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
    examples.push_back(rewards::scorable(row, loaded));
  }
  Progress progress({.quiet = call.json});
  progress.start("score", static_cast<std::int64_t>(rows.size()));
  for (std::size_t begin = 0; begin < rows.size();) {
    stop_if_requested();
    const auto end = rewards::end_of_pass(examples, begin, settings.batch_tokens);
    const auto values = rewards::model_scores(loaded, std::span(examples).subspan(begin, end - begin), settings.batch_tokens);
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
