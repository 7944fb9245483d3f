#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "app/commands.h"
#include "app/flags.h"
#include "app/model_probe.h"
#include "rlhf/core/error.h"
#include "rlhf/models/lora.h"
#include "rlhf/models/model_files.h"

namespace rlhf::app {
namespace {

struct ExportSettings {
  std::string model;
  std::string to;
  std::string dtype;
  std::string output;

  void fields(Fields& f) {
    f.field("model", model, "folder, GGUF file, run or name of a model");
    f.field("to", to, "hf (a Hugging Face folder) or gguf (one file)");
    f.field("dtype", dtype, "f32, f16, bf16 or q8_0 (GGUF only); empty: f32 for hf, f16 for gguf");
    f.field("output", output, "folder or file to write");
  }
  void validate() const {
    if (to == "hf" || to == "gguf") return;
    throw Error({.category = Category::usage, .where = "to", .what = fmt::format("is \"{}\", but has to be hf or gguf", to)});
  }
};

/// Below this the file says something else than the model; the rounding of each dtype stays well inside.
double tolerated_divergence(models::StoredAs dtype) {
  switch (dtype) {
    case models::StoredAs::f32: return 1e-6;
    case models::StoredAs::f16: return 1e-3;
    case models::StoredAs::bf16: return 2e-2;
    case models::StoredAs::q8_0: return 2e-2;
  }
  return 0;
}

}  // namespace

int export_model(const Invocation& call) {
  ExportSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf export MODEL --to hf|gguf --output PATH [--dtype f32|f16|bf16|q8_0]",
                            .description = "Writes the model, reads it back and compares what both say before it reports success. An adapter is merged.",
                            .positional = {"model"}},
                     settings)) return 0;
  require_given("model", settings.model, "rlhf export runs/ppo --to gguf --output ppo.gguf");
  require_given("output", settings.output, "rlhf export runs/ppo --to gguf --output ppo.gguf");
  const auto dtype = models::stored_as(!settings.dtype.empty() ? settings.dtype : settings.to == "hf" ? "f32" : "f16");
  auto loaded = models::load_model(settings.model);
  const auto probe = probe_tokens(std::min(loaded.model->shape().vocabulary, loaded.text.tokenizer.size()), 32);
  const auto before = next_token_logprobs(*loaded.model, probe);
  if (loaded.adapter) models::merge_lora(*loaded.model);
  if (settings.to == "hf") {
    models::save_hf(settings.output, *loaded.model, loaded.text, {.dtype = dtype, .score = loaded.score, .value = loaded.value});
  } else {
    models::save_gguf(settings.output, *loaded.model, loaded.text, dtype);
  }
  const auto written = models::load_model(settings.output);
  const auto apart = distance(before, next_token_logprobs(*written.model, probe));
  if (!(apart.divergence <= tolerated_divergence(dtype))) {
    throw Error({.category = Category::check,
                 .where = settings.output,
                 .what = fmt::format("was written, but read back it says something else than the model: KL {:.2g} nats a token", apart.divergence),
                 .fix = "Do not use it. A larger --dtype may help."});
  }
  std::cerr << fmt::format("{}: read back and compared: KL {:.2g} nats a token, the same best token at {:.0f}% of positions\n",
                           settings.output, apart.divergence, 100 * apart.same_best);
  return 0;
}

}  // namespace rlhf::app
