#include <fmt/format.h>

#include <iostream>

#include "app/commands.h"
#include "app/flags.h"
#include "app/model_probe.h"
#include "rlhf/core/error.h"
#include "rlhf/models/lora.h"
#include "rlhf/models/model_files.h"

namespace rlhf::app {
namespace {

struct MergeSettings {
  std::string adapter;
  std::string output;
  std::string dtype = "f32";
  bool allow_other_base = false;

  void fields(Fields& f) {
    f.field("adapter", adapter, "PEFT folder, run or checkpoint");
    f.field("output", output, "folder to write");
    f.field("dtype", dtype, "f32, f16 or bf16; the merge itself is in f32");
    f.field("allow_other_base", allow_other_base, "merge although the base is not the one the adapter was trained on");
  }
};

}  // namespace

int merge(const Invocation& call) {
  MergeSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf merge ADAPTER --output DIR",
                            .description = "Folds an adapter into its base and writes a Hugging Face folder. The merged model is compared with base and\n"
                                           "adapter; a merge that changes nothing is refused.",
                            .positional = {"adapter"}},
                     settings)) return 0;
  require_given("adapter", settings.adapter, "rlhf merge runs/dpo --output merged");
  require_given("output", settings.output, "rlhf merge runs/dpo --output merged");
  auto loaded = models::load_model(settings.adapter, models::builtin_models(), {.allow_other_base = settings.allow_other_base});
  if (!loaded.adapter) {
    throw Error({.category = Category::usage,
                 .where = settings.adapter,
                 .what = fmt::format("is a whole model ({}), so there is nothing to merge", loaded.format),
                 .fix = "`rlhf export` writes it in another format."});
  }
  const auto probe = probe_tokens(std::min(loaded.model->shape().vocabulary, loaded.text.tokenizer.size()), 32);
  const auto adapted = next_token_logprobs(*loaded.model, probe);
  const auto moved = distance(next_token_logprobs(*loaded.model, probe, false), adapted);
  const double change = models::merge_lora(*loaded.model);
  const auto apart = distance(adapted, next_token_logprobs(*loaded.model, probe));
  if (!(apart.divergence <= 1e-5)) {
    throw Error({.category = Category::check,
                 .where = settings.adapter,
                 .what = fmt::format("merged weights say something else than base and adapter: KL {:.2g} nats a token", apart.divergence)});
  }
  models::save_hf(settings.output, *loaded.model, loaded.text,
                  {.dtype = models::stored_as(settings.dtype), .score = loaded.score, .value = loaded.value});
  std::cerr << fmt::format("{}: weights moved by up to {:.2g} of their norm; KL to the base {:.2g}, to base and adapter {:.2g} nats a token\n",
                           settings.output, change, moved.divergence, apart.divergence);
  return 0;
}

}  // namespace rlhf::app
