#include "rlhf/generation/engine.h"

#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/flags.h"
#include "app/signals.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/progress.h"
#include "rlhf/data/encode.h"
#include "rlhf/data/readers/rows.h"
#include "rlhf/models/model_files.h"

namespace rlhf::app {
namespace {

using nlohmann::json;

struct GenerateSettings {
  std::string model;
  std::string prompts;
  std::string prompt;
  std::int64_t limit = 0;
  std::int64_t slots = 0;
  bool logprobs = true;
  bool adapters = true;
  generation::SamplingConfig sampling;

  void fields(Fields& f) {
    f.field("model", model, "folder, GGUF file, run or name of a model");
    f.field("prompts", prompts, "JSONL file with \"prompt\" (or \"messages\") in each row; - is standard input");
    f.field("prompt", prompt, "one prompt as raw text, instead of a file");
    f.field("limit", limit, "prompts to read; 0 = all");
    f.field("logprobs", logprobs, "write the logprob of each token (temperature 1, whole vocabulary)");
    f.field("adapters", adapters, "use the model's adapter, if it has one");
    f.field("slots", slots, "sequences decoded at once; 0 = chosen by memory");
    sampling.fields(f);
  }

  void validate() const {
    sampling.validate();
    if (prompt.empty() == prompts.empty()) {
      throw Error({.category = Category::usage, .where = "prompts", .what = "give either a file (--prompts) or a text (--prompt)"});
    }
  }
};

std::vector<data::Prompt> read_prompts(const GenerateSettings& settings) {
  if (!settings.prompts.empty()) return data::read_prompts(settings.prompts, {.limit = settings.limit});
  data::Prompt prompt;
  prompt.id = "prompt";
  prompt.text = settings.prompt;
  return {prompt};
}

json prompt_as_given(const data::Prompt& prompt) {
  if (prompt.row.is_object() && prompt.row.contains("prompt")) return prompt.row["prompt"];
  if (prompt.messages.empty()) return prompt.text;
  auto messages = json::array();
  for (const auto& message : prompt.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
    if (message.extra.is_object()) messages.back().update(message.extra);
  }
  return messages;
}

/// The row's own columns stay as they were; those whose names are needed here move under "row".
json row_of(const data::Prompt& prompt, const data::Completion& completion, const GenerateSettings& settings) {
  json made = {{"prompt", prompt_as_given(prompt)},
               {"completion", completion.text},
               {"ids", completion.ids},
               {"finish_reason", completion.finish == data::FinishReason::stop ? "stop" : "length"}};
  if (settings.logprobs) made["logprobs"] = completion.raw_logprobs;
  if (settings.sampling.num > 1) made["sample"] = completion.sample;
  if (!prompt.row.is_object()) return made;
  for (const auto& [column, value] : prompt.row.items()) {
    if (column == "prompt") continue;
    (made.contains(column) ? made["row"][column] : made[column]) = value;
  }
  return made;
}

}  // namespace

int generate(const Invocation& call) {
  GenerateSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf generate --model M --prompts FILE.jsonl|- [settings]",
                            .description = "Writes one JSON object a completion to standard output, in the order of the prompts: prompt, completion, ids,\n"
                                           "logprobs, finish_reason and the row's other columns. A string prompt is raw text; a message list goes through\n"
                                           "the model's chat template."},
                     settings)) return 0;
  require_given("model", settings.model, "rlhf generate --model smollm2-135m --prompt \"Once upon a time\"");
  const auto loaded = models::load_model(settings.model);
  auto prompts = read_prompts(settings);
  data::encode_prompts(prompts, loaded.text);

  Progress progress({.quiet = call.json});
  progress.start("generate", static_cast<std::int64_t>(prompts.size()) * settings.sampling.num);
  const double began = steady_seconds();
  std::int64_t finished_before = 0, tokens_before = 0;
  // In portions, so that a long list's first rows come early; a draw does not depend on its portion.
  const auto portion = static_cast<std::size_t>(std::max<std::int64_t>(1, 512 / settings.sampling.num));
  for (std::size_t begin = 0; begin < prompts.size(); begin += portion) {
    const auto part = std::span(prompts).subspan(begin, std::min(portion, prompts.size() - begin));
    generation::GenerateProgress last;
    generation::GenerateOptions options{.adapters = settings.adapters, .slots = settings.slots};
    options.progress = [&](const generation::GenerateProgress& now) {
      stop_if_requested();
      last = now;
      progress.postfix(fmt::format("{:.0f} tokens/s", static_cast<double>(tokens_before + now.tokens) / (steady_seconds() - began)));
      progress.set(finished_before + now.finished);
    };
    const auto completions = generation::generate(*loaded.model, loaded.text, part, settings.sampling, options);
    for (std::size_t i = 0; i < completions.size(); ++i) {
      std::cout << row_of(part[i / static_cast<std::size_t>(settings.sampling.num)], completions[i], settings).dump() << '\n';
    }
    std::cout.flush();
    finished_before += last.finished;
    tokens_before += last.tokens;
  }
  progress.finish();
  return 0;
}

}  // namespace rlhf::app
